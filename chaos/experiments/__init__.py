"""The experiments that come with the system: Chaos Toolkit's YAML, each a hypothesis and how it is tried."""
