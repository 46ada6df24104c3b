import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.load.generator import Limits, Result
from chaos.load.outcomes import OutcomeClass
from chaos.load.trickle import Trickle
from tests.unit.load.fake_gateway import PRODUCTS, FakeGateway

# Short rounds, so that several begin within a test; each has ten requests at least.
TRICKLE = Trickle("http://127.0.0.1:1", ("a", "b"), rps=100, limits=Limits(timeout_s=5), round_s=0.1)


class Collected:
    """Every result, and a way to wait for what they will show."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self._changed = asyncio.Event()

    def __call__(self, result: Result) -> None:
        self.results.append(result)
        self._changed.set()

    async def until(self, holds: Callable[[list[Result]], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds(self.results):
                self._changed.clear()
                await self._changed.wait()


async def collected(trickle: Trickle, holds: Callable[[list[Result]], bool]) -> list[Result]:
    """What it sent until `holds`, and until it ended in order."""
    seen, stop = Collected(), asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(trickle.run(stop, asyncio.Event(), seen))
        await seen.until(holds)
        stop.set()
    return seen.results


def keys_of(results: list[Result]) -> list[str]:
    return [each.arrival.idempotency_key for each in results if each.arrival.idempotency_key]


async def test_round_follows_round_and_no_key_comes_twice(gateway: FakeGateway) -> None:
    results = await collected(replace(TRICKLE, gateway_url=gateway.url), lambda found: len(found) > 35)
    keys = keys_of(results)
    assert len(set(keys)) == len(keys) > 0
    assert len({key.rpartition("-")[0] for key in keys}) >= 3, "of several rounds"


async def test_another_process_repeats_no_key(gateway: FakeGateway) -> None:
    first, second = [
        await collected(Trickle(gateway.url, ("a",), 100, round_s=0.1), lambda found: len(keys_of(found)) > 3)
        for _ in range(2)
    ]
    assert not set(keys_of(first)) & set(keys_of(second))


async def test_it_waits_for_the_shop_and_says_when_it_begins(gateway: FakeGateway) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()
    gateway.drop_connections = True
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(replace(TRICKLE, gateway_url=gateway.url).run(stop, begun))
        await gateway.until(lambda: len(gateway.seen) >= 2)
        assert not begun.is_set()
        assert {each.method for each in gateway.seen} == {"GET"}, "nothing is sent before"
        gateway.drop_connections = False
        await begun.wait()
        stop.set()


async def test_it_ends_while_it_waits() -> None:
    stop, begun = asyncio.Event(), asyncio.Event()
    stop.set()
    async with asyncio.timeout(30):
        await TRICKLE.run(stop, begun)
    assert not begun.is_set()


async def test_an_outage_does_not_stop_it(gateway: FakeGateway) -> None:
    def failed(found: list[Result]) -> int:
        return sum(each.answer.outcome.outcome_class is OutcomeClass.UNANSWERED for each in found)

    seen, stop = Collected(), asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(replace(TRICKLE, gateway_url=gateway.url).run(stop, asyncio.Event(), seen))
        await seen.until(lambda found: len(found) > 0)
        gateway.drop_connections = True
        await seen.until(lambda found: failed(found) > 25)  # over the end of a round at least
        gateway.drop_connections = False
        before = len(seen.results)
        await seen.until(lambda found: len(found) - failed(found) > 5 and len(found) > before)
        stop.set()


@pytest.mark.parametrize("rps", [0.01, 0.5, 10.0, 100.0])
def test_no_round_is_quicker_than_the_rate(rps: float) -> None:
    plan = replace(TRICKLE, rps=rps, round_s=60.0).plan(3, PRODUCTS)
    assert plan.count / plan.duration_s == pytest.approx(rps, rel=0.01)
    assert plan.users == len(TRICKLE.keys)
