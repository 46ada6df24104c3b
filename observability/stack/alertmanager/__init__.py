"""Alertmanager's configuration, made from `slo.yaml`."""

from observability.stack.alertmanager.config import Receiver, files, render

__all__ = ["Receiver", "files", "render"]
