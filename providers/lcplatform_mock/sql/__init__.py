"""What the data store stands on: two databases behind one face, and what is the same for both."""
