"""The chassis without sockets: policies, the seam, settings, the life cycle, and errors as data."""
