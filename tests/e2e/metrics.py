"""What a process tells at its `/metrics`."""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.e2e.http_api import Api

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def families(admin_url: str) -> dict[str, Family]:
    """Name → metric family, read by the strict OpenMetrics parser."""
    answer = Api(admin_url).get("/metrics", Accept=OPENMETRICS)
    assert answer.status == 200
    found = text_string_to_metric_families(answer.body.decode())  # type: ignore[no-untyped-call]  # the library's own lack
    return {each.name: each for each in found}


def samples(admin_url: str, name: str, **labels: str) -> Iterator[Sample]:
    """Samples of that full name (`..._total`, `..._bucket`) that have at least these labels."""
    for family in families(admin_url).values():
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample
