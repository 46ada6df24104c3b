"""Jaeger's configuration. Version 2 is an OpenTelemetry Collector; the folder `go` is the module that builds it."""

from observability.stack.jaeger.config import Listeners, render

__all__ = ["Listeners", "render"]
