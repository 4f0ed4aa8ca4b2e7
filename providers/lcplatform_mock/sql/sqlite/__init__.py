"""SQLite as if it were PostgreSQL: statements are translated, and what cannot be translated faithfully is refused."""
