"""`prometheus.yml`: whom Prometheus scrapes and how often, its rules, and who gets its alerts.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from observability.stack.durations import seconds
from observability.stack.profiles import Profile

FAULTLINE: Final = "faultline"
"""The job of our own processes."""
SPAN_METRICS: Final = "jaeger-spanmetrics"
"""The job of what Jaeger counts of spans."""

MAX_EXEMPLARS: Final = 20_000
_LONGEST_SCRAPE: Final = "10s"


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


def rules_file(profile: str) -> Path:
    """The rules with that profile's windows."""
    return Path(__file__).with_name(f"rules.{profile}.yml")


def render(
    jobs: Sequence[Job], profile: Profile, *, rule_files: Sequence[str] = (), alertmanagers: Sequence[str] = ()
) -> str:
    """The file's content; how often anything is done is the profile's."""
    scrape = profile.scrape_interval
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": scrape,
            "scrape_timeout": min(scrape, _LONGEST_SCRAPE, key=seconds),
            "evaluation_interval": profile.evaluation_interval,
        },
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
