"""The shapes of the public API, by version."""
