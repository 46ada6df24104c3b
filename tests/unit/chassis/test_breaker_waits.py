from tests.unit.chassis.breaking import Bench


def waits(it: Bench, count: int) -> list[float]:
    """How long each of so many openings in a row lasts, as the refusals say."""
    found = []
    for _ in range(count):
        wait = it.refused().retry_after
        assert wait is not None
        found.append(wait)
        it.clock.advance(wait)
        it.calls("failure", "failure")
    return found


def test_the_wait_is_the_same_each_time_unless_it_is_to_grow() -> None:
    assert waits(Bench().opened(), 3) == [10.0, 10.0, 10.0]


def test_the_wait_grows_with_each_opening_in_a_row_up_to_its_limit() -> None:
    assert waits(Bench(open_wait_multiplier=2.0).opened(), 5) == [10.0, 20.0, 40.0, 40.0, 40.0]


def test_the_wait_grows_however_it_came_to_open() -> None:
    it = Bench(open_wait_multiplier=2.0, half_open_max_wait_s=5.0).half_opened()
    it.breaker.acquire()
    it.clock.advance(5.0)
    assert it.refused().retry_after == 20.0


def test_the_wait_starts_over_once_it_has_closed() -> None:
    it = Bench(open_wait_multiplier=2.0).opened()
    waits(it, 2)
    it.clock.advance(40.0)
    it.calls("success", "success")
    assert waits(it.opened(), 2) == [10.0, 20.0]


def test_the_wait_does_not_outgrow_numbers() -> None:
    it = Bench(open_wait_multiplier=10.0, half_open_permitted_calls=1, minimum_calls=1).opened()
    for _ in range(500):
        it.clock.advance(40.0)
        it.calls("failure")
    assert it.refused().retry_after == 40.0


def test_jitter_spreads_the_wait_but_not_beyond_its_limit_and_does_not_add_up() -> None:
    found = waits(Bench(open_wait_multiplier=2.0, open_wait_jitter=0.5).opened(), 50)
    assert 5.0 <= found[0] <= 15.0
    assert 10.0 <= found[1] <= 30.0
    assert all(20.0 <= each <= 40.0 for each in found[2:])
    assert len({round(each, 6) for each in found}) > 10
