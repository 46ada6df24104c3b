"""The policies of every edge, chosen for a run and put back after it."""

from collections.abc import Sequence
from typing import Any, Final

from chaos.control.http import ControlApi
from chaos.control.target import Instance
from chaos.measure.errors import MeasureError, driving
from chaos.measure.site import Site

PRESETS: Final = ("off", "timeouts", "retries", "budgeted", "breaker", "full")
_CONTROL: Final = "CONTROL_PORT"


class PoliciesError(MeasureError):
    """There is no such preset, or policies cannot be switched; names the valid choices."""


class Policies:
    """Those of all edges of a site, over the control listeners of all callers' replicas."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._callers = tuple(site.with_listener(_CONTROL))
        self._before: list[tuple[Instance, str, dict[str, Any]]] = []
        self.chosen = ""

    def in_force(self) -> dict[str, Any]:
        """Edge → its policies. Raises MeasureError."""
        return {edge: policy for each in self._callers for edge, policy in self._of(each).items()}

    def check(self, presets: Sequence[str]) -> None:
        """Raises PoliciesError for a preset that there is not, or that this system cannot be put under."""
        if unknown := [each for each in presets if each not in PRESETS]:
            raise PoliciesError(f"there is no policy {unknown[0]!r}; policies: {', '.join(PRESETS)}")
        if presets and not all("preset" in each for each in self.in_force().values()):
            raise PoliciesError("policies cannot be switched in this system; run without --policy")

    def choose(self, preset: str) -> None:
        """Every edge of every caller under this preset. Raises MeasureError."""
        self.check([preset])
        for caller in self._callers:
            for edge, policy in self._of(caller).items():
                self._before.append((caller, edge, _switches(policy)))
                self._put(caller, edge, {"preset": preset})
        self.chosen = preset

    def restore(self) -> None:
        """Puts back what was there before `choose`; does nothing the second time. Raises MeasureError."""
        while self._before:
            self._put(*self._before.pop())

    def _of(self, caller: Instance) -> dict[str, Any]:
        with driving():
            return self._api(caller).ask("GET", "/policies")

    def _put(self, caller: Instance, edge: str, wanted: dict[str, Any]) -> None:
        if wanted:
            with driving():
                self._api(caller).ask("PUT", f"/policies/{edge.partition('/')[2]}", wanted)

    def _api(self, caller: Instance) -> ControlApi:
        return ControlApi(caller.name, caller.control_address, self._site.target.token)


def _switches(policy: dict[str, Any]) -> dict[str, Any]:
    """What an edge has in force, policy by policy: a preset would not say it where single ones were switched."""
    return {name: each["in_force"] for name, each in policy["policies"].items()}
