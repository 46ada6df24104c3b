"""Version 1 of the payments service's contract: its proto and the stubs generated from it."""
