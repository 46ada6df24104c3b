"""The configuration of the backends, and what makes it."""
