"""The critical path of a waterfall: at each moment, the one span whose end everything waited for. Pure.

Walks back from the root's end: before a moment, the span itself was at work since its last child that ended before,
and until then that child was, all the way down; as in "CRISP: Critical Path Analysis of Large-Scale Microservice
Architectures" (Zhang et al., USENIX ATC 2022). A child that outlives its parent counts up to the parent's end, as a
clock that is off or work that went on must not lengthen the path. The sections fill the root's time without a gap.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from observability.embedded.waterfall import Row, Waterfall

Section = tuple[int, int]
"""From and to, in microseconds since the trace began."""


def critical_path(waterfall: Waterfall) -> Mapping[int, Sequence[Section]]:
    """Index of each row on the path → the sections in which it was, by time. Empty ones are left out."""
    children, sections = _children(waterfall.rows), defaultdict[int, list[Section]](list)
    root = waterfall.rows.index(waterfall.root)
    waiting = [(root, waterfall.rows[root].start_us, waterfall.rows[root].end_us)]
    while waiting:
        index, since, until = waiting.pop()
        for begin, end, child in _walk(waterfall.rows, children[index], since, until):
            if end > begin:
                sections[index].append((begin, end))
            if child is not None:
                waiting.append((child, max(since, waterfall.rows[child].start_us), begin))
    return {index: sorted(sections[index]) for index in sorted(sections)}


def time_by_service(waterfall: Waterfall, path: Mapping[int, Sequence[Section]]) -> Mapping[str, int]:
    """Microseconds that each service is on the critical path; together the root's duration."""
    spent = Counter(dict.fromkeys(waterfall.services, 0))
    for index, sections in path.items():
        spent[waterfall.rows[index].service] += sum(end - begin for begin, end in sections)
    return spent


def _walk(
    rows: Sequence[Row], children: Sequence[int], since: int, until: int
) -> Iterator[tuple[int, int, int | None]]:
    """A row's own sections between two moments, the last first, each with the child that was at work before it."""
    ends = {child: min(rows[child].end_us, until) for child in children}
    for child in sorted(children, key=lambda each: ends[each], reverse=True):
        # What had not ended when a later one began was not waited for, as the attempt that lost to its hedge.
        if since < ends[child] <= until and rows[child].start_us < ends[child]:
            yield ends[child], until, child
            until = max(since, rows[child].start_us)
    yield since, until, None


def _children(rows: Sequence[Row]) -> Mapping[int, list[int]]:
    children, ancestors = defaultdict[int, list[int]](list), list[int]()
    for index, row in enumerate(rows):
        del ancestors[row.depth :]
        if ancestors:
            children[ancestors[-1]].append(index)
        ancestors.append(index)
    return children
