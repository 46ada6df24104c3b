"""Version 1 of the inventory service's contract: its proto and the stubs generated from it."""
