"""Integration tests: one part of the system with real sockets, processes and databases."""
