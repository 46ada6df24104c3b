"""The resilience policies, with time and chance decided by the tests."""
