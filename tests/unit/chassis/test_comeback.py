"""Whoever left work for later hears when a peer that was away may be asked again."""

from services.chassis.resilience.comeback import Comeback
from tests.unit.chassis.breaking import CONFIG, Bench


def test_a_peer_that_was_never_away_does_not_come_back() -> None:
    it = Bench()
    back = Comeback(it.breaker.snapshot)
    assert not back()
    it.calls("success", times=9)
    assert not back()


def test_nor_does_one_without_a_breaker() -> None:
    assert not Comeback(lambda: None)()


def test_an_open_breaker_may_be_tried_once_its_wait_is_over_though_nobody_has_called() -> None:
    it = Bench().opened()
    back = Comeback(it.breaker.snapshot)
    assert not back()
    it.clock.advance(CONFIG.open_wait_s)
    assert back()
    assert back(), "until somebody has"


def test_a_half_open_one_lets_calls_try() -> None:
    it = Bench().half_opened()
    back = Comeback(it.breaker.snapshot)
    it.calls("success")
    assert back()
    it.calls("failure")
    assert not back(), "it is open again"


def test_one_that_has_closed_says_so_once() -> None:
    it = Bench().half_opened()
    back = Comeback(it.breaker.snapshot)
    assert back()
    it.calls("success", "success")
    assert back()
    assert not back()


def test_one_that_is_forced_open_is_not_to_be_tried_until_it_is_reset() -> None:
    it = Bench()
    back = Comeback(it.breaker.snapshot)
    it.breaker.force_open()
    it.clock.advance(1e9)
    assert not back()
    it.breaker.reset()
    assert back()


def test_one_that_is_no_longer_in_force_keeps_calls_from_nobody() -> None:
    it, in_force = Bench().opened(), True
    back = Comeback(lambda: it.breaker.snapshot() if in_force else None)
    assert not back()
    in_force = False
    assert back()
    assert not back()
