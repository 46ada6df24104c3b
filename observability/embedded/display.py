"""Times and names as people read them; for pages and terminals."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from observability.embedded.waterfall import Row, Waterfall

_GRPC_METHOD: Final = re.compile(r"(?:\w+\.)+(\w+/\w+)")


def duration(us: float) -> str:
    """Three digits and a unit: `850 µs`, `12.3 ms`, `2.31 s`, `3 min 20 s`."""
    if us < 1_000:
        return f"{us:.0f} µs"
    if us < 999_500:
        return f"{_three_digits(us / 1_000)} ms"
    if us < 60_000_000:
        return f"{_three_digits(us / 1_000_000)} s"
    minutes, seconds = divmod(round(us / 1_000_000), 60)
    return f"{minutes} min {seconds} s"


def _three_digits(value: float) -> str:
    text = f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(us: int) -> str:
    """Microseconds since 1970 as `2026-01-01 01:00:05.123 UTC`."""
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}.{us % 1_000_000 // 1_000:03d} UTC"


def operation(name: str) -> str:
    """A gRPC method without its package, as `Payments/Authorize`; anything else unchanged."""
    match = _GRPC_METHOD.fullmatch(name)
    return match[1] if match else name


def ticks(duration_us: int, at_most: int = 6) -> list[int]:
    """Round moments of a time axis, from 0, in microseconds."""
    span = max(duration_us, 1)
    magnitude = 1
    while True:
        for step in (magnitude, 2 * magnitude, 5 * magnitude):
            if span // step < at_most:
                return [*range(0, span + 1, step)]
        magnitude *= 10


def own_times(waterfall: Waterfall) -> Mapping[str, int]:
    """Microseconds that each service spent itself: its spans, without the parts in which a child was at work."""
    spent = dict.fromkeys(waterfall.services, 0)
    children = _children(waterfall.rows)
    for index, row in enumerate(waterfall.rows):
        spent[row.service] += row.duration_us - _covered(row, children[index])
    return spent


def _children(rows: Sequence[Row]) -> Mapping[int, list[Row]]:
    children, path = defaultdict[int, list[Row]](list), list[int]()
    for index, row in enumerate(rows):
        del path[row.depth :]
        if path:
            children[path[-1]].append(row)
        path.append(index)
    return children


def _covered(row: Row, children: Sequence[Row]) -> int:
    """The part of `row` in which at least one of `children`, sorted by start, runs."""
    covered, until = 0, row.start_us
    for child in children:
        begin, end = max(child.start_us, until), min(child.end_us, row.end_us)
        covered += max(0, end - begin)
        until = max(until, end)
    return covered
