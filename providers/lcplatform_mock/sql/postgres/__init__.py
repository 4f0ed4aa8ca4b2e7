"""A real PostgreSQL, which the mock starts and stops."""
