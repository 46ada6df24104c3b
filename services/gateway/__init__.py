"""The gateway: the system's public edge."""
