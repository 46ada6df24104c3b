"""The shapes of the orders service's API, by version."""
