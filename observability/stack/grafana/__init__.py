"""Grafana as code: its dashboards, and what it is provisioned with. `generator` makes the files beside it.

Needs `grafana-foundation-sdk`, which is there for development only: whoever runs Grafana takes the files.
"""
