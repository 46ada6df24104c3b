"""The trace backend in a process of its own, and spans for it such as the services send."""
