"""The system beside the real Prometheus, Alertmanager and Jaeger; `make backends` installs what a machine can have."""
