"""The resilience policies: pure, with injected clock, no I/O, no telemetry, no vendor."""
