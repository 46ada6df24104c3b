"""Prometheus's rules, made from `slo.yaml`, and the tests that `promtool` runs on them."""
