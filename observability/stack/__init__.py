"""Configuration of the backends that watch the system, and what it is generated from. `slo.yaml` holds the objectives."""
