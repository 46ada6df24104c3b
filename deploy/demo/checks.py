"""Whether everything really happened. Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from chaos.load import LoadReport
from chaos.load.outcomes import OutcomeClass
from observability.embedded.waterfall import Waterfall

SERVICES: Final = ("gateway", "orders", "inventory", "payments")

_EXPECTED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("GET /api/v1/products", "200"): "no page of the catalogue was read",
        ("GET /api/v1/products/{product_id}", "200"): "no product was read",
        ("POST /api/v1/orders", "201"): "no checkout was confirmed",
        ("POST /api/v1/orders", "402 payment-declined"): "no checkout was declined",
        ("POST /api/v1/orders", "409 out-of-stock"): "no checkout wanted more than there is",
        ("POST /api/v1/orders", "422 unknown-product"): "no checkout named an unknown product",
    }
)
"""Route and outcome → what is said when it was not seen."""


def problems_of_traffic(report: LoadReport, most_failed: float) -> Iterator[str]:
    """What did not happen, or should not have. `most_failed` is a share of all requests."""
    seen = {(route, str(counted.outcome)) for route, counted in report.outcomes()}
    for (route, outcome), said in _EXPECTED.items():
        if (route, outcome) not in seen:
            yield f"{said} ({route} never answered {outcome})"
    failed = sum(map(report.count, (OutcomeClass.FAILED, OutcomeClass.UNANSWERED, OutcomeClass.NOT_SENT)))
    if failed > most_failed * report.planned:
        yield f"{failed} of {report.planned} requests failed"


def missing_services(waterfall: Waterfall) -> list[str]:
    """Services that the trace does not show."""
    return [service for service in SERVICES if service not in waterfall.services]


def is_whole(waterfall: Waterfall) -> bool:
    """Whether all four services are there, and every span's parent is."""
    return not missing_services(waterfall) and not any(row.orphan for row in waterfall.rows)
