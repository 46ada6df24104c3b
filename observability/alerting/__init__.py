"""The process `faultline-alerts`: it receives Alertmanager's notifications and tells objectives and alerts.

Where there is no Prometheus it scrapes the processes itself and evaluates `slo.yaml` over a bounded ring of what they
told: only the series that the file counts, no query language. Both answer `GET /api/alerts` alike, and say who they are.
"""
