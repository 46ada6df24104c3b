"""What a Prometheus says of objectives and alerts, by its HTTP API.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from observability.alerting.burning import described
from observability.stack.indicators import indicators
from observability.stack.inhibitions import inhibitions, silenced
from observability.stack.objectives import Slo
from observability.stack.profiles import Profile
from observability.stack.prometheus.rules import BUDGET_REMAINING, errors

_TIMEOUT_S: Final = 5.0
_TIMEOUT_SHARE: Final = 0.9  # of a scrape interval, in which a look must be over
_RECORDED: Final = '{__name__=~"faultline:slo_(errors:ratio_rate.+|error_budget_remaining:ratio)"}'
_NEWEST_AGE: Final = "time() - max(timestamp(up))"
_LATE: Final = 5  # scrape intervals

T = TypeVar("T", bound=BaseModel)


class PrometheusError(Exception):
    """It does not answer, or not as a Prometheus does."""


class _Sample(BaseModel):
    metric: dict[str, str]
    value: tuple[float, float]


class _Vector(BaseModel):
    result: list[_Sample]


class _Alert(BaseModel):
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    state: Literal["pending", "firing"]
    active_at: Annotated[str, Field(alias="activeAt")]
    value: float


class _Alerts(BaseModel):
    alerts: list[_Alert]


class PrometheusReader:
    """Asks the Prometheus at `url`, a base address."""

    def __init__(self, url: str, slo: Slo, profile: Profile) -> None:
        self.url, self._slo, self._profile = url.rstrip("/"), slo, profile

    async def check(self, session: aiohttp.ClientSession) -> None:
        """Raises PrometheusError where it does not answer, or takes nothing in, by which nothing that it says is of now.

        One that cannot write to its disk answers on, with what it has in memory.
        """
        timeout_s = min(_TIMEOUT_S, _TIMEOUT_SHARE * self._profile.scrape_interval_s)
        document = await self._get(session, "/api/v1/query", {"query": _NEWEST_AGE}, timeout_s)
        newest = _parsed(_Vector, document).result
        age_s = newest[0].value[1] if newest else None
        if age_s is None or age_s > _LATE * self._profile.scrape_interval_s:
            said = "it has no samples" if age_s is None else f"its newest sample is {age_s:.0f} s old"
            raise PrometheusError(f"Prometheus at {self.url} takes nothing in: {said}")

    async def objectives(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """Each with what is recorded of it. Raises PrometheusError."""
        document = await self._get(session, "/api/v1/query", {"query": _RECORDED})
        recorded: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for each in _parsed(_Vector, document).result:
            recorded[each.metric.get("slo", "")][each.metric["__name__"]] = each.value[1]
        return self.known(recorded)

    def known(self, recorded: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
        """The objectives with what is recorded of them, by name and series."""
        return [
            {
                **described(self._slo, self._profile, each),
                "budget_remaining": recorded.get(each.slo, {}).get(BUDGET_REMAINING),
                "burn_rates": {
                    length: None if ratio is None else ratio / each.goal.budget
                    for length in self._profile.windows.values()
                    for ratio in (recorded.get(each.slo, {}).get(errors(length)),)
                },
            }
            for each in indicators(self._slo.objectives)
        ]

    async def alerts(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """Pending and firing ones. Raises PrometheusError."""
        found = _parsed(_Alerts, await self._get(session, "/api/v1/alerts", {})).alerts
        firing = [each.labels for each in found if each.state == "firing"]
        return [self._document(each, firing) for each in found]

    def _document(self, alert: _Alert, firing: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        silent = alert.state == "firing" and silenced(alert.labels, firing, inhibitions(self._slo))
        return {
            "alertname": alert.labels.get("alertname", ""),
            "state": alert.state,
            "severity": alert.labels.get("severity", ""),
            "labels": alert.labels,
            "since": alert.active_at,
            "value": alert.value,
            "summary": alert.annotations.get("summary", ""),
            "silenced": silent,
        }

    async def _get(
        self, session: aiohttp.ClientSession, path: str, query: Mapping[str, str], timeout_s: float = _TIMEOUT_S
    ) -> Any:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with session.get(f"{self.url}{path}", params=query, timeout=timeout) as answer:
                document = json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            raise PrometheusError(f"Prometheus at {self.url} does not answer: {type(exc).__name__} {exc}") from exc
        if not isinstance(document, dict) or document.get("status") != "success":
            said = document.get("error", "") if isinstance(document, dict) else ""
            raise PrometheusError(f"Prometheus at {self.url} refuses: {str(said)[:300]}")
        return document.get("data")


def _parsed(model: type[T], document: Any) -> T:
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        raise PrometheusError(f"Prometheus answers what is not understood: {exc.errors()[0]['msg']}") from exc
