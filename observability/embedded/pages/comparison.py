"""Two traces side by side: what both did, what one alone did, and where the time differs. Pure.

Spans are the same if they stand at the same place: service, operation and attempt, below the same parents. Where one
stands there several times, it is one line with its count and its time together. SQL statements that went well are
left out: the unit of work that they belong to says how long they took.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from observability.embedded import display
from observability.embedded.waterfall import Row, Waterfall

Place = tuple[str, str, int]
"""Service, operation, attempt (0: it is none)."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one trace did at a place: how often, how long together (microseconds), how many of these failed."""

    count: int = 0
    duration_us: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """A line. `difference_us` is the second less the first; `width` is that in percent of the largest of both."""

    service: str
    operation: str
    attempt: int
    depth: int
    first: Side
    second: Side
    width: str

    @property
    def difference_us(self) -> int:
        return self.second.duration_us - self.first.duration_us

    @property
    def verdict(self) -> str:
        """`gone`, `new`, or which of the two took longer: `faster`, `slower`, `same`."""
        if not (self.first.count and self.second.count):
            return "new" if self.second.count else "gone"
        return "same" if self.difference_us == 0 else "slower" if self.difference_us > 0 else "faster"


@dataclass(slots=True)
class _Node:
    """A place with what stands below it, in the order in which it was first seen."""

    rows: tuple[list[Row], list[Row]] = field(default_factory=lambda: ([], []))
    below: dict[Place, "_Node"] = field(default_factory=lambda: defaultdict(_Node))


def compare(first: Waterfall, second: Waterfall) -> list[Compared]:
    """In reading order: what the second did alone comes after what both did below the same parent."""
    root = _Node()
    for side, waterfall in enumerate((first, second)):
        path = [root]
        for row in waterfall.rows:
            if row.is_fine_statement:
                continue
            del path[row.depth + 1 :]
            node = path[-1].below[row.service, display.operation(row.operation), row.attempt or 0]
            node.rows[side].append(row)
            path.append(node)
    lines = [*_lines(root)]
    most = max((abs(b.duration_us - a.duration_us) for _, _, a, b in lines if a.count and b.count), default=0)
    return [
        Compared(*place, depth, a, b, f"{min(100, 100 * abs(b.duration_us - a.duration_us) / max(most, 1)):.1f}")
        for place, depth, a, b in lines
    ]


def _lines(root: _Node) -> Iterator[tuple[Place, int, Side, Side]]:
    """Depth first without recursion: traces may be deeper than Python's stack."""
    waiting = [(place, node, 0) for place, node in reversed(root.below.items())]
    while waiting:
        place, node, depth = waiting.pop()
        yield place, depth, _side(node.rows[0]), _side(node.rows[1])
        waiting += [(inner, below, depth + 1) for inner, below in reversed(node.below.items())]


def _side(rows: Sequence[Row]) -> Side:
    return Side(len(rows), sum(row.duration_us for row in rows), sum(row.error for row in rows))
