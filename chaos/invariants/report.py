"""What the checker found, as data."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from chaos.invariants.evidence import Evidence
from chaos.invariants.violation import Violation


@dataclass(frozen=True)
class Checked:
    """One invariant: how many it was checked for, and where it is broken."""

    invariant: str
    promise: str
    looked_at: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class Report:
    """What became of every invariant.

    `counts` says how much there was to look at: what → status or state → how many. `moving`: orders changed while the
    stores were read, so that a violation may be of something that was under way; verify again at rest.
    """

    checked: tuple[Checked, ...]
    counts: Mapping[str, Mapping[str, int]]
    now_us: int
    max_pending_s: float
    moving: bool

    @property
    def violations(self) -> tuple[Violation, ...]:
        return tuple(violation for each in self.checked for violation in each.violations)

    @property
    def ok(self) -> bool:
        """Every invariant holds."""
        return not self.violations

    def also_in(self, earlier: "Report") -> "Report":
        """This report without what `earlier` did not find of the same subject: that was only under way."""
        known = {(each.invariant, each.subject) for each in earlier.violations}
        checked = (
            replace(each, violations=tuple(it for it in each.violations if (it.invariant, it.subject) in known))
            for each in self.checked
        )
        return replace(self, checked=tuple(checked))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields by their names, and `ok`."""
        return {"ok": self.ok, **asdict(self)}


def counts(evidence: Evidence) -> Mapping[str, Mapping[str, int]]:
    """How much there is of what."""
    return {
        "acknowledged": _sorted(each.status for each in evidence.acknowledged),
        "orders": _sorted(each.status for each in evidence.orders),
        "payments": _sorted(each.state for each in evidence.payments),
        "reservations": _sorted(each.state for each in evidence.reservations),
        "products": {"all": len(evidence.products)},
    }


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
