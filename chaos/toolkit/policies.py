"""The policies of every edge, chosen for a run and put back after it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from chaos.control import AwayError, ControlError, EdgePolicies, HttpPolicyControl
from chaos.measure.errors import MeasureError, driving
from chaos.measure.site import Site
from chaos.toolkit.baseline import Baseline, Note

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.25

PRESETS: Final = ("off", "timeouts", "retries", "budgeted", "breaker", "full")


class PoliciesError(MeasureError):
    """There is no such preset; names the valid choices."""


class Policies:
    """Those of all edges of a site, in all replicas of their callers."""

    def __init__(self, site: Site) -> None:
        self._control = HttpPolicyControl(site.target)
        self._note = Note(site.state, site.target.token)
        self._before: dict[tuple[str, str], Baseline] = {}
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
        """Every edge of every caller under this preset. Raises PoliciesError, BaselineError, DrivingError."""
        self.check([preset])
        with driving():
            found = self._control.show().edges
            self._remember(found, preset)
            for each in found:
                self._control.use(each.instance, _callee(each.edge), preset)
        self.chosen = preset

    def _remember(self, found: Sequence[EdgePolicies], preset: str) -> None:
        """What is in force; where that is what an earlier choice left, what was in force before that one."""
        left = {each.key: each for each in self._note.read()}
        for each in found:
            now = Baseline.of(each, preset)
            earlier = left.get(now.key)
            if earlier and earlier.preset == each.preset:
                now = replace(earlier, preset=preset)
            self._before[now.key] = now
        self._note.write({**left, **self._before}.values())

    def restore(self) -> None:
        """Puts back what was there before `choose`, a killed run's too; does nothing the second time.

        Policy by policy: a preset would not say it where single ones were switched. A process that is on its way back from a
        fault is awaited for a while. Raises DrivingError when one did not come; all others are as they were.
        """
        if not self._before:
            return
        give_up_s = time.monotonic() + _PATIENCE_S
        standing = {each.key: each for each in self._note.read()}
        failed: ControlError | None = None
        while self._before:
            key, each = self._before.popitem()
            error = self._put_back(each, give_up_s)
            failed = failed or error
            if not error:
                standing.pop(key, None)
        self._note.write(standing.values())
        with driving():
            if failed:
                raise failed

    def _put_back(self, each: Baseline, give_up_s: float) -> ControlError | None:
        while True:
            try:
                self._control.turn(each.instance, _callee(each.edge), each.switches)
            except ControlError as error:
                if not isinstance(error, AwayError) or time.monotonic() > give_up_s:
                    return error
                time.sleep(_POLL_S)
            else:
                return None


def _callee(edge: str) -> str:
    return edge.partition("/")[2]
