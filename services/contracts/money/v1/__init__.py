"""Version 1 of money on the wire."""
