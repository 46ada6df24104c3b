"""Fakes: in-memory stand-ins for what a service needs from outside, held to the same suites as the real adapters."""
