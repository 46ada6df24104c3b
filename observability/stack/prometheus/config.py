"""`prometheus.yml`: whom Prometheus scrapes and how often, its rules, and who gets its alerts.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

FAULTLINE: Final = "faultline"
"""The job of our own processes."""
SPAN_METRICS: Final = "jaeger-spanmetrics"
"""The job of what Jaeger counts of spans."""

SCRAPE_INTERVAL_S: Final = 2.0
RULES_FILE: Final = Path(__file__).with_name("rules.demo.yml")
MAX_EXEMPLARS: Final = 20_000


@dataclass(frozen=True)
class Target:
    """Something with metrics at `address` (`host:port`), and the labels it is known by."""

    address: str
    service: str
    instance: str


@dataclass(frozen=True)
class Job:
    """Targets that are alike; a job without any is left out."""

    name: str
    targets: Sequence[Target]


def render(
    jobs: Sequence[Job], interval_s: float, *, rule_files: Sequence[str] = (), alertmanagers: Sequence[str] = ()
) -> str:
    """The file's content. Everything is scraped, and every rule evaluated, every `interval_s` seconds."""
    interval = f"{round(interval_s * 1000)}ms"
    document: dict[str, Any] = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "storage": {"exemplars": {"max_exemplars": MAX_EXEMPLARS}},
        "rule_files": list(rule_files),
        "scrape_configs": [_scraped(each) for each in jobs if each.targets],
    }
    if alertmanagers:
        document["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    return yaml.safe_dump(document, sort_keys=False)


def _scraped(job: Job) -> dict[str, Any]:
    targets = [
        {"targets": [each.address], "labels": {"service": each.service, "instance": each.instance}}
        for each in job.targets
    ]
    return {"job_name": job.name, "static_configs": targets}
