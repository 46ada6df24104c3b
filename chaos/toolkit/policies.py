"""The policies of every edge, chosen for a run and put back after it."""

import time
from collections.abc import Sequence
from typing import Any, Final

from chaos.control import AwayError, EdgePolicies, HttpPolicyControl
from chaos.measure.errors import MeasureError, driving
from chaos.measure.site import Site

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.25

PRESETS: Final = ("off", "timeouts", "retries", "budgeted", "breaker", "full")


class PoliciesError(MeasureError):
    """There is no such preset; names the valid choices."""


class Policies:
    """Those of all edges of a site, in all replicas of their callers."""

    def __init__(self, site: Site) -> None:
        self._control = HttpPolicyControl(site.target)
        self._before: list[EdgePolicies] = []
        self.chosen = ""

    def in_force(self) -> dict[str, Any]:
        """Edge → the names of its policies that are in force, in the first replica. Raises DrivingError."""
        with driving():
            return {each.edge: each.in_force for each in reversed(self._control.show().edges)}

    def check(self, presets: Sequence[str]) -> None:
        """Raises PoliciesError for a preset that there is not."""
        if unknown := [each for each in presets if each not in PRESETS]:
            raise PoliciesError(f"there is no policy {unknown[0]!r}; policies: {', '.join(PRESETS)}")

    def choose(self, preset: str) -> None:
        """Every edge of every caller under this preset. Raises PoliciesError, DrivingError."""
        self.check([preset])
        with driving():
            for each in self._control.show().edges:
                self._before.append(each)
                self._control.use(each.instance, _callee(each), preset)
        self.chosen = preset

    def restore(self) -> None:
        """Puts back what was there before `choose`; does nothing the second time.

        Policy by policy: a preset would not say it where single ones were switched. A process that is on its way back from a
        fault is awaited for a while. Raises DrivingError when one did not come; all others are as they were.
        """
        give_up_s, away = time.monotonic() + _PATIENCE_S, None
        with driving():
            while self._before:
                each = self._before.pop()
                away = self._put_back(each, give_up_s) or away
            if away:
                raise away

    def _put_back(self, each: EdgePolicies, give_up_s: float) -> AwayError | None:
        switches = {name: one["in_force"] for name, one in each.policies.items()}
        while True:
            try:
                self._control.turn(each.instance, _callee(each), switches)
            except AwayError as error:
                if time.monotonic() > give_up_s:
                    return error
                time.sleep(_POLL_S)
            else:
                return None


def _callee(each: EdgePolicies) -> str:
    return each.edge.partition("/")[2]
