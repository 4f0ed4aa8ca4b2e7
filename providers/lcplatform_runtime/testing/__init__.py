"""Help for the tests of applications and of providers. Import from its modules."""
