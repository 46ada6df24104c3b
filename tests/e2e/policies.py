"""Policies of a running system, seen and switched as its control listeners allow; and what they cost."""

import json
from collections.abc import Mapping
from typing import Any

from prometheus_client.metrics_core import Metric as Family

from deploy.system import System
from observability import semconv
from tests.e2e.http_api import Answer, Api
from tests.e2e.metrics import families
from tests.e2e.running import admin_url


def ask_policies(system: System, caller: str, method: str = "GET", callee: str = "", body: Any = None) -> Answer:
    """One request to the caller's control listener, with the token."""
    control = system.state.control()
    assert control is not None
    address = system.url(f"{caller}-1", "CONTROL_PORT")
    path = f"/policies/{callee}" if callee else "/policies"
    sent = None if body is None else json.dumps(body).encode()
    return Api(address).request(method, path, {"Authorization": f"Bearer {control.token}"}, sent)


def switch(system: System, caller: str, callee: str, **wanted: Any) -> Mapping[str, Any]:
    """Switches one edge; the edge as it is then."""
    answer = ask_policies(system, caller, "PUT", callee, wanted)
    assert answer.status == 200, answer.body
    edge: Mapping[str, Any] = answer.json()[f"{caller}/{callee}"]
    return edge


class Calls:
    """Attempts and logical calls from one service to another since this object was made."""

    def __init__(self, system: System, caller: str, callee: str) -> None:
        self._admin, self._callee = admin_url(system, caller), callee
        self._before = self._counted()

    @property
    def number(self) -> int:
        """Logical calls that have ended."""
        return self._since()[1]

    @property
    def amplification(self) -> float:
        """Attempts by calls. Exact while no call is under way."""
        attempts, calls = self._since()
        return attempts / calls

    def _since(self) -> tuple[int, int]:
        attempts, calls = (now - before for now, before in zip(self._counted(), self._before, strict=True))
        return attempts, calls

    def _counted(self) -> tuple[int, int]:
        families_now = families(self._admin)  # of one moment
        attempts = families_now[semconv.CALL_ATTEMPTS.prometheus_name.removesuffix("_total")]
        return self._sum(attempts, "_total"), self._sum(families_now[semconv.CALL_DURATION.prometheus_name], "_count")

    def _sum(self, family: Family, suffix: str) -> int:
        label = semconv.prometheus_label(semconv.CALLEE)
        wanted = (each for each in family.samples if each.name == family.name + suffix)
        return sum(int(each.value) for each in wanted if each.labels[label] == self._callee)
