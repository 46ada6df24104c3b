"""An order that an outage left pending is taken up as soon as its peer may be asked again, however often it failed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from observability.telemetry import Telemetry
from services.chassis.resilience.comeback import Comeback
from services.orders import use_cases
from services.orders.recovery import Recovery
from tests.fakes.shop import ALICE, Shop, request, shop
from tests.refusals import refused
from tests.unit.chassis.breaking import CONFIG, Bench
from tests.unit.observability.harness import started

NEVER = 3600.0
ORDERS = 3
FAILURES = 4


@dataclass
class Place:
    """A shop, and the breaker before its payments; time stands still unless it is told."""

    shop: Shop
    telemetry: Telemetry
    breaker: Bench

    def __post_init__(self) -> None:
        self.recovery = Recovery(
            self.shop.deps, self.telemetry, NEVER, ORDERS, [Comeback(self.breaker.breaker.snapshot)]
        )

    async def fail_again_and_again(self) -> None:
        """Leaves orders that the recovery has tried so often that it leaves them alone for long."""
        self.shop.payments_peer.wire.losses = ["request"] * ORDERS * (1 + FAILURES)
        for number in range(ORDERS):
            call = use_cases.checkout(self.shop.deps, ALICE, f"k{number}", request(("p-1", 1)))
            await refused("service-unavailable", call)
        for failures in range(FAILURES):
            self.shop.clock.advance(seconds=2**failures)
            assert await self.recovery.round() == 0, "not one came further"
        assert await self.recovery.round() == 0
        assert not self.shop.payments_peer.wire.losses

    def statuses(self) -> list[str]:
        return [each.status for each in self.shop.orders.data.orders.values()]


@pytest.fixture
def it() -> Iterator[Place]:
    with started() as telemetry:
        yield Place(shop(), telemetry, Bench())


async def test_it_waits_while_the_breaker_refuses_and_is_the_try_once_that_is_over(it: Place) -> None:
    await it.fail_again_and_again()
    it.breaker.opened()
    assert await it.recovery.round() == 0
    it.breaker.clock.advance(CONFIG.open_wait_s)
    assert await it.recovery.round() == ORDERS
    assert it.statuses() == ["confirmed"] * ORDERS


async def test_it_is_tried_again_while_the_breaker_lets_calls_try(it: Place) -> None:
    await it.fail_again_and_again()
    it.breaker.half_opened()
    it.shop.payments_peer.wire.losses = ["request"] * ORDERS
    assert await it.recovery.round() == 0, "tried, and failed again"
    assert not it.shop.payments_peer.wire.losses
    assert await it.recovery.round() == ORDERS


async def test_it_is_taken_up_once_others_have_closed_the_breaker(it: Place) -> None:
    await it.fail_again_and_again()
    it.breaker.opened()
    assert await it.recovery.round() == 0
    it.breaker.clock.advance(CONFIG.open_wait_s)
    it.breaker.calls("success", times=CONFIG.half_open_permitted_calls)
    assert await it.recovery.round() == ORDERS


async def test_it_is_so_though_the_store_is_away_at_first(it: Place) -> None:
    await it.fail_again_and_again()
    it.breaker.opened()
    await it.recovery.round()
    it.breaker.breaker.reset()
    it.shop.orders.away = True
    assert await it.recovery.round() == 0
    it.shop.orders.away = False
    assert await it.recovery.round() == ORDERS


async def test_without_an_outage_it_is_left_alone_as_long_as_ever(it: Place) -> None:
    await it.fail_again_and_again()
    assert await it.recovery.round() == 0
    it.shop.clock.advance(seconds=2**FAILURES)
    assert await it.recovery.round() == ORDERS
