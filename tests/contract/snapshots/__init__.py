"""Contracts with callers, kept as they were last published, and what of a change to them would break whom."""
