from bisect import bisect
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.load.shapes import SHAPES, Shape, arrival_times

shapes = st.sampled_from(list(SHAPES.values()))


@given(shapes, st.integers(1, 2000), st.floats(0.01, 1e4), st.integers())
def test_the_times_are_as_many_as_asked_ascending_and_within_the_duration(
    shape: Shape, count: int, duration_s: float, seed: int
) -> None:
    times = list(arrival_times(shape, count, duration_s, Random(seed)))
    assert len(times) == count
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= duration_s * (1 + 1e-9)


@pytest.mark.parametrize(("name", "mean"), [("constant", 1.0), ("ramp", 0.55), ("spike", 0.36)])
def test_the_mean_rate_follows_from_the_corners(name: str, mean: float) -> None:
    assert SHAPES[name].mean == pytest.approx(mean)


@pytest.mark.parametrize(
    ("name", "until", "share"),
    [
        ("constant", 0.25, 0.25),
        ("constant", 0.75, 0.75),
        ("ramp", 0.5, (0.1 + 0.55) / 2 * 0.5 / 0.55),
        ("spike", 0.4, 0.08 / 0.36),
        ("spike", 0.6, 0.28 / 0.36),
    ],
)
def test_requests_come_where_the_shape_is_high(name: str, until: float, share: float) -> None:
    times = list(arrival_times(SHAPES[name], 20_000, 1.0, Random(1)))
    assert bisect(times, until) / len(times) == pytest.approx(share, abs=0.01)


def test_clients_do_not_come_evenly_spaced() -> None:
    times = list(arrival_times(SHAPES["constant"], 10_000, 10_000.0, Random(1)))
    gaps = sorted(after - before for before, after in pairwise(times))
    # Gaps of a Poisson process are exponential: with mean 1 their median is ln 2.
    assert gaps[len(gaps) // 2] == pytest.approx(0.693, abs=0.03)


def test_a_rate_of_zero_at_an_end_is_allowed() -> None:
    shape = Shape("triangle", ((0, 0), (0.5, 1), (1, 0)))
    times = list(arrival_times(shape, 1000, 1.0, Random(1)))
    assert bisect(times, 0.5) / len(times) == pytest.approx(0.5, abs=0.05)
