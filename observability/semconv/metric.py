"""What a metric is, in OpenTelemetry's terms, and what Prometheus calls it.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["histogram", "counter", "gauge"]

_UNIT_SUFFIXES: Final = {"s": "seconds", "ms": "milliseconds", "By": "bytes"}


def prometheus_label(attribute: str) -> str:
    """`http.route` -> `http_route`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", attribute)


@dataclass(frozen=True)
class Metric:
    """One metric in OpenTelemetry's terms.

    `name` is dotted, `unit` is UCUM (`s`, `By`, `{call}`, or empty), `labels` are dotted attribute names in the order in
    which values are given, `buckets` are upper bounds in `unit`.
    """

    name: str
    unit: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] | None = None

    @property
    def unit_suffix(self) -> str:
        """The unit as Prometheus spells it; empty for annotations such as `{call}`."""
        return _UNIT_SUFFIXES.get(self.unit, "")

    @property
    def prometheus_name(self) -> str:
        """`http.server.request.duration` in `s` -> `http_server_request_duration_seconds`; counters end in `_total`."""
        name = re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9:]", "_", self.name))
        unit, total = self.unit_suffix, "total" if self.kind == "counter" else ""
        for suffix in (unit, total):
            if suffix and not name.endswith(f"_{suffix}"):
                name = f"{name}_{suffix}"
        return name

    @property
    def prometheus_labels(self) -> tuple[str, ...]:
        """Label names in the order of `labels`."""
        return tuple(prometheus_label(label) for label in self.labels)
