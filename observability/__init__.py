"""The telemetry of one process: traces, metrics, logs, and the one list of names they use.

Start with `telemetry.start`; the names are in `semconv`. Nothing here imports a web framework or any other room.
"""
