import random
from statistics import mean, median, stdev

import pytest

from services.chassis.faults.distributions import seconds
from services.chassis.faults.parameters import MAX_MS, Fixed, Latency, Normal, Pareto, Uniform

COUNT = 20_000


def drawn(latency: Latency, count: int = COUNT) -> list[float]:
    """In milliseconds."""
    dice = random.Random(11)
    return [seconds(latency, dice) * 1000 for _ in range(count)]


def test_fixed_is_always_the_same() -> None:
    assert set(drawn(Fixed(ms=500), 10)) == {500.0}


def test_uniform_is_spread_evenly_between_its_limits() -> None:
    found = drawn(Uniform(low_ms=100, high_ms=300))
    assert 100 <= min(found) < 101
    assert 299 < max(found) <= 300
    assert mean(found) == pytest.approx(200, rel=0.02)
    assert sum(each < 150 for each in found) == pytest.approx(COUNT / 4, rel=0.05)


def test_normal_is_around_its_mean_and_never_below_zero() -> None:
    found = drawn(Normal(mean_ms=200, deviation_ms=20))
    assert mean(found) == pytest.approx(200, rel=0.01)
    assert stdev(found) == pytest.approx(20, rel=0.05)
    assert min(drawn(Normal(mean_ms=10, deviation_ms=100))) == 0.0


def test_pareto_has_a_least_and_a_heavy_tail() -> None:
    found = sorted(drawn(Pareto(min_ms=50, shape=1.2)))
    assert found[0] >= 50
    assert median(found) == pytest.approx(50 * 2 ** (1 / 1.2), rel=0.05)
    # P(X > x) = (min / x) ** shape
    assert sum(each > 500 for each in found) == pytest.approx(COUNT * 0.1**1.2, rel=0.1)


def test_nothing_lasts_longer_than_the_longest() -> None:
    assert max(drawn(Pareto(min_ms=1_000, shape=0.1))) == MAX_MS


def test_equal_seeds_draw_equal_waits() -> None:
    assert drawn(Uniform(low_ms=0, high_ms=1), 5) == drawn(Uniform(low_ms=0, high_ms=1), 5)
