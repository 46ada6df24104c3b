"""The system in containers, as far as it can be told without any."""
