"""How the rate goes over the time of a run, as shares: 0..1 of the duration, 0..1 of the highest rate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import expm1, log, sqrt
from random import Random
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class _Piece:
    """A stretch with a linear rate: from `start`, `length` long, the rate beginning at `low` and going by `slope`."""

    start: float
    length: float
    low: float
    slope: float

    @property
    def area(self) -> float:
        return self.length * (self.low + self.slope * self.length / 2)

    def reach(self, area: float) -> float:
        """The time by which `area` has arrived: the quadratic's root, in the form that is stable for a slope near 0."""
        root = self.low + sqrt(max(0.0, self.low**2 + 2 * self.slope * area))
        return self.start + min(self.length, 2 * area / root if root else 0.0)


@dataclass(frozen=True)
class Shape:
    """A rate as straight lines between corners (share of the duration, share of the highest rate), times ascending."""

    name: str
    corners: tuple[tuple[float, float], ...]

    @property
    def pieces(self) -> tuple[_Piece, ...]:
        return tuple(
            _Piece(t0, t1 - t0, r0, (r1 - r0) / (t1 - t0)) for (t0, r0), (t1, r1) in pairwise(self.corners) if t1 > t0
        )

    @property
    def mean(self) -> float:
        """The mean rate, as a share of the highest."""
        return sum(piece.area for piece in self.pieces)


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            Shape("constant", ((0, 1), (1, 1))),
            Shape("ramp", ((0, 0.1), (1, 1))),
            Shape("spike", ((0, 0.2), (0.4, 0.2), (0.4, 1), (0.6, 1), (0.6, 0.2), (1, 0.2))),
        )
    }
)


def arrival_times(shape: Shape, count: int, duration_s: float, rng: Random) -> Iterator[float]:
    """`count` ascending times within `duration_s`: a Poisson process of that shape, given that it brought just `count`.

    Given their count, a Poisson process's arrivals are independent draws from its shape; drawn here in order of
    time, so that nothing is stored. Clients do not come evenly spaced, and queues depend on it.
    """
    shares = _sorted_uniforms(count, rng)
    return (at * duration_s for at in _times_of(shape, shares))


def _sorted_uniforms(count: int, rng: Random) -> Iterator[float]:
    """`count` uniform draws from 0..1, smallest first: each is the least of those left, spread over what is left."""
    share = 0.0
    for left in range(count, 0, -1):
        share += (1 - share) * -expm1(log(1 - rng.random()) / left)
        yield share


def _times_of(shape: Shape, shares: Iterator[float]) -> Iterator[float]:
    """For each ascending share of the requests, the share of the duration by which it has arrived."""
    pieces, total = iter(shape.pieces), shape.mean
    piece, before = next(pieces), 0.0
    for share in shares:
        while share * total - before > piece.area and (following := next(pieces, None)) is not None:
            before += piece.area
            piece = following
        yield piece.reach(min(share * total - before, piece.area))
