"""What clients can do beyond the operations of the IDL. The generator attaches it to them; import from the modules."""
