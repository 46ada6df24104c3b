"""The process that receives notifications and, without a Prometheus, evaluates the objectives."""
