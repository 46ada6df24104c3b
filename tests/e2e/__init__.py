"""The whole system, started as a user starts it and seen only from outside."""
