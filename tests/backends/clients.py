"""The real programs' APIs, as far as tests ask them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.e2e.http_api import Api


@dataclass(frozen=True)
class Value:
    """One element of an instant vector."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """https://prometheus.io/docs/prometheus/latest/querying/api/"""

    def __init__(self, url: str) -> None:
        self.url = url
        self._api = Api(url)

    def query(self, expression: str) -> list[Value]:
        """The instant vector, now. Raises AssertionError when the expression is none."""
        found = self._get("/api/v1/query", query=expression)
        assert found["resultType"] == "vector", f"{expression}: a {found['resultType']}"
        return [Value(each["metric"], float(each["value"][1])) for each in found["result"]]

    def targets(self) -> list[Mapping[str, Any]]:
        """Who is scraped, each with `labels`, `health`, `lastError`."""
        targets: list[Mapping[str, Any]] = self._get("/api/v1/targets", state="active")["activeTargets"]
        return targets

    def exemplars(self, expression: str, start_s: float, end_s: float) -> list[Mapping[str, Any]]:
        """Of the series that `expression` names, between two times since 1970: each with `labels`, `value`."""
        found = self._get("/api/v1/query_exemplars", query=expression, start=str(start_s), end=str(end_s))
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def alerts(self) -> list[Mapping[str, Any]]:
        """Pending and firing ones, each with `labels`, `annotations`, `state`, `activeAt`."""
        alerts: list[Mapping[str, Any]] = self._get("/api/v1/alerts")["alerts"]
        return alerts

    def rules(self) -> list[Mapping[str, Any]]:
        """All rules of all groups, each with `name`, `health`, `lastError`."""
        return [rule for group in self._get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        answer = self._api.get(f"{path}?{urlencode(parameters, quote_via=quote)}")
        assert answer.status == 200, f"{path} {parameters}: {answer.status} {answer.body!r}"
        return answer.json()["data"]


class Alertmanager:
    """https://prometheus.io/docs/alerting/latest/clients/"""

    def __init__(self, url: str) -> None:
        self.url = url
        self._api = Api(url)

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """Active ones, each with `labels`, `annotations`, `status`."""
        answer = self._api.get("/api/v2/alerts")
        assert answer.status == 200, answer.body
        alerts: Sequence[Mapping[str, Any]] = answer.json()
        return alerts
