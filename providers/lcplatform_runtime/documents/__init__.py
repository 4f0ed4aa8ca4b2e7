"""What documents are made of and which operators there are, for every provider of DocumentStore."""
