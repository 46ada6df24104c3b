from collections.abc import Callable

import pytest

from services.chassis.resilience.adaptive_limit import AdaptiveLimit, AdaptiveLimitConfig
from tests.fakes.clock import FakeClock

CONFIG = AdaptiveLimitConfig(initial=100, least=5, most=200)
USUAL_S = 0.1


class Bench:
    """A limit, and requests that are said to have been served."""

    def __init__(self, config: AdaptiveLimitConfig = CONFIG) -> None:
        self.clock = FakeClock()
        self.limit = AdaptiveLimit(config, self.clock)

    def window(self, latency_s: float, in_flight: int | None = None, samples: int = 10) -> int:
        """One window of time with so many requests; the limit after it. In flight: as many as may be, unless given."""
        for number in range(samples):
            if number == samples - 1:
                self.clock.advance(1.0)
            self.limit.sample(latency_s, self.limit.value if in_flight is None else in_flight)
        return self.limit.value

    def windows(self, count: int, latency: Callable[[int], float]) -> list[int]:
        """So many windows, in which as many are in flight as may be, and latency depends on that."""
        return [self.window(latency(self.limit.value)) for _ in range(count)]


def crowded(capacity: int) -> Callable[[int], float]:
    """The latency of a server that works on `capacity` requests at once: others only make all of them wait."""
    return lambda in_flight: USUAL_S * max(1.0, in_flight / capacity)


def test_it_begins_where_it_is_told() -> None:
    assert Bench().limit.value == 100


def test_it_grows_while_it_is_used_up_and_latency_is_as_usual() -> None:
    grown = Bench().windows(300, lambda _: USUAL_S)
    assert grown == sorted(grown)
    assert grown[-1] == CONFIG.most


def test_it_shrinks_when_latency_rises_beyond_what_is_tolerated() -> None:
    it = Bench()
    it.windows(20, lambda _: USUAL_S)
    before = it.limit.value
    assert it.window(USUAL_S * 1.5) >= before
    assert it.window(USUAL_S * 3) < before


def test_one_window_takes_at_most_a_tenth_with_the_usual_smoothing() -> None:
    it = Bench()
    it.windows(20, lambda _: USUAL_S)
    before = it.limit.value
    assert it.window(USUAL_S * 1000) >= int(before * 0.9)


def test_it_finds_what_a_server_can_do_at_once_and_finds_it_again_when_that_changes() -> None:
    it = Bench()
    for _ in range(60):
        it.window(USUAL_S, in_flight=1)
    assert all(20 <= limit <= 60 for limit in it.windows(60, crowded(20))[40:])
    assert it.windows(120, crowded(80))[-1] > 60


def test_it_never_leaves_its_bounds() -> None:
    it = Bench()
    it.windows(20, lambda _: USUAL_S)
    assert it.windows(200, lambda _: USUAL_S * 50)[-1] >= CONFIG.least
    assert min(it.windows(200, lambda _: USUAL_S * 5000)) >= CONFIG.least
    assert max(it.windows(500, lambda _: USUAL_S)) <= CONFIG.most


def test_a_limit_that_is_not_made_use_of_does_not_move() -> None:
    it = Bench()
    assert {it.window(latency, in_flight=49) for latency in (0.1, 0.1, 5.0, 0.001)} == {100}


def test_a_window_with_few_requests_teaches_nothing() -> None:
    it = Bench()
    assert {it.window(latency, samples=9) for latency in (0.1, 5.0)} == {100}


def test_within_a_window_it_does_not_move() -> None:
    it = Bench()
    for _ in range(1000):
        it.limit.sample(0.1, 100)
    assert it.limit.value == 100


def test_what_is_usual_comes_down_quickly_after_a_long_overload() -> None:
    it = Bench()
    it.windows(100, lambda _: USUAL_S * 10)
    it.windows(30, lambda _: USUAL_S)
    before = it.limit.value
    assert it.window(USUAL_S * 5) < before


def test_requests_that_took_no_time_at_all_are_not_divided_by() -> None:
    assert Bench().window(0.0) == 100


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: AdaptiveLimitConfig(initial=1, least=2, most=3), "not 2, 1 and 3"),
        (lambda: AdaptiveLimitConfig(initial=4, least=2, most=3), "not 2, 4 and 3"),
        (lambda: AdaptiveLimitConfig(1, 0, 1), "1 or more"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, headroom=0), "headroom must be 1 or more, not 0"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, smoothing=0), "smoothing"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, tolerance=0.5), "tolerance"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, window_s=0), "window_s"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, window_samples=0), "window_samples"),
        (lambda: AdaptiveLimitConfig(1, 1, 1, usual_windows=9), "usual_windows must be 10 or more, not 9"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_name(make: Callable[[], AdaptiveLimitConfig], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
