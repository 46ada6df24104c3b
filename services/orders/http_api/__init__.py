"""The orders service over HTTP, by version."""
