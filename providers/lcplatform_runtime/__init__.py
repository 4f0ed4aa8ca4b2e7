"""The hand-written ground that every generated surface stands on. Import from its modules; this one stays empty."""
