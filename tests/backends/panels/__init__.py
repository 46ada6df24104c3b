"""Every expression of panels and rules, asked of a real Prometheus that watches a system under load and faults."""
