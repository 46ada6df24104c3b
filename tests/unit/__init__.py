"""Unit tests: one module at a time, no sockets and no other processes unless the module is about them."""
