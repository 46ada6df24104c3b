"""Jaeger's configuration. Version 2 is an OpenTelemetry Collector; the folder `go` is the module that builds it."""

from observability.stack.jaeger.config import Listeners, render
from observability.stack.jaeger.sampling import Sampling

__all__ = ["Listeners", "Sampling", "render"]
