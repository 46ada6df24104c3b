"""The contract of the payments service: charges."""
