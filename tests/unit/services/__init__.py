"""The services' rules and use cases, over fakes."""
