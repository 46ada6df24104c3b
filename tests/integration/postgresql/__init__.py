"""The PostgreSQL that the tests use."""
