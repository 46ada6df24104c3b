"""The telemetry of one process, against real expositions, real log lines and a real collector."""
