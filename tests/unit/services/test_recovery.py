"""The loops that look after what nobody looks after any more: the recovery of orders, and the expiry of reservations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.component import Component
from services.chassis.errors import ProblemError
from services.contracts.steps import Step
from services.inventory.expiry import BATCH, Expiry
from services.orders import origin, use_cases
from services.orders.ports import Orders, OrderStore
from services.orders.recovery import Recovery
from tests.fakes.shop import ALICE, Shop, request, shop
from tests.refusals import refused
from tests.unit.observability.harness import samples, started

T = TypeVar("T")

NEVER = 3600.0


@dataclass
class TracedStore:
    """An OrderStore that makes a span of each transaction, as the one over SQL does."""

    store: OrderStore
    telemetry: Telemetry

    async def read(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        with self.telemetry.tracer.start_as_current_span(operation):
            return await self.store.read(operation, work)

    async def write(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        with self.telemetry.tracer.start_as_current_span(operation):
            return await self.store.write(operation, work)


@dataclass
class Place:
    """A shop whose orders are traced."""

    shop: Shop
    telemetry: Telemetry
    exporter: InMemorySpanExporter

    def recovery(self, interval: float = NEVER, concurrency: int = 2) -> Recovery:
        return Recovery(self.shop.deps, self.telemetry, interval, concurrency)

    async def leave_pending(self, key: str = "k") -> str:
        """A checkout that gets no answer from payments; its trace id."""
        self.shop.payments_peer.wire.losses = ["request"]
        with self.telemetry.tracer.start_as_current_span("request") as span:
            call = use_cases.checkout(self.shop.deps, ALICE, key, request(("p-1", 1)), origin.current())
            await refused("service-unavailable", call)
        self.shop.clock.advance(seconds=2)
        return f"{span.get_span_context().trace_id:032x}"

    def statuses(self) -> list[str]:
        return [each.status for each in self.shop.orders.data.orders.values()]

    def spans(self, name: str) -> list[ReadableSpan]:
        return [each for each in self.exporter.get_finished_spans() if each.name == name]

    def count(self, outcome: str) -> float:
        found = samples(self.telemetry.metrics, semconv.RECOVERIES.prometheus_name)
        return next(each.value for each in found if each.labels["faultline_recovery_outcome"] == outcome)


@pytest.fixture
def it() -> Iterator[Place]:
    exporter = InMemorySpanExporter()
    with started(span_exporter=exporter) as telemetry:
        made = shop()
        made.deps = replace(made.deps, store=TracedStore(made.orders, telemetry))
        yield Place(made, telemetry, exporter)


@asynccontextmanager
async def running(component: Component) -> AsyncIterator[None]:
    await component.start()
    try:
        yield
        await component.drain()
    finally:
        await component.stop()


async def become(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 -- one turn of the loop, not a time
            await asyncio.sleep(0)


def trace_id(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


class TestRecovery:
    async def test_finishes_what_is_due_and_looks_again(self, it: Place) -> None:
        await it.leave_pending()
        async with running(it.recovery(interval=0.001)):
            await become(lambda: it.statuses() == ["confirmed"])
            await it.leave_pending("k2")
            await become(lambda: it.statuses() == ["confirmed"] * 2)
        assert it.count("confirmed") == 2

    async def test_does_not_wait_while_there_is_much_to_do(self, it: Place) -> None:
        for number in range(5):
            await it.leave_pending(f"k{number}")
        async with running(it.recovery(concurrency=2)):
            await become(lambda: it.statuses() == ["confirmed"] * 5)

    async def test_tells_each_order_in_a_trace_that_is_linked_to_its_own(self, it: Place) -> None:
        placed_in = [await it.leave_pending(f"k{number}") for number in range(2)]
        await it.recovery().round()
        recovered = it.spans("recover order")
        assert sorted(f"{each.links[0].context.trace_id:032x}" for each in recovered) == sorted(placed_in)
        assert all(each.parent is None for each in recovered)
        assert len({*map(trace_id, recovered), *placed_in}) == 4
        for each in recovered:
            assert each.attributes
            assert each.attributes[semconv.RECOVERY_OUTCOME] == "confirmed"
            assert each.attributes[semconv.ORDER_ID] in it.shop.orders.data.orders
        claims = it.spans("claim_due")
        assert sorted(map(trace_id, claims)) == sorted(map(trace_id, recovered))

    async def test_is_linked_to_nothing_where_nothing_is_known(self, it: Place) -> None:
        await it.leave_pending()
        orders = it.shop.orders.data.orders
        for text in ("", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
            orders["ord_1"] = replace(orders["ord_1"], origin=text)
            assert origin.links(text) == []
        await it.recovery().round()
        (span,) = it.spans("recover order")
        assert not span.links

    async def test_looks_without_leaving_traces(self, it: Place) -> None:
        assert await it.recovery().round() == 0
        assert it.exporter.get_finished_spans() == ()

    async def test_says_what_stays_pending(self, it: Place) -> None:
        await it.leave_pending()
        it.shop.payments_peer.wire.losses = ["request"]
        await it.recovery().round()
        assert (it.statuses(), it.count("pending")) == (["pending"], 1)

    async def test_has_a_count_for_every_outcome_from_the_start(self, it: Place) -> None:
        it.recovery()
        assert [it.count(outcome) for outcome in semconv.RECOVERY_OUTCOMES] == [0] * len(semconv.RECOVERY_OUTCOMES)

    async def test_is_blind_without_its_store_and_sees_again(self, it: Place) -> None:
        await it.leave_pending()
        it.shop.orders.away = True
        async with running(it.recovery(interval=0.001)):
            await become(lambda: it.count(semconv.RECOVERY_BLIND) >= 2)
            it.shop.orders.away = False
            await become(lambda: it.statuses() == ["confirmed"])

    async def test_an_order_that_cannot_be_driven_keeps_no_other_from_being(self, it: Place) -> None:
        await it.leave_pending("k1")
        await it.leave_pending("k2")

        async def forbid_once() -> None:
            del it.shop.payments_peer.wire.meanwhile[Step.CAPTURE]
            raise ProblemError("forbidden")

        it.shop.payments_peer.wire.meanwhile[Step.CAPTURE] = forbid_once
        await it.recovery().round()
        assert sorted(it.statuses()) == ["confirmed", "pending"]
        assert (it.count("failed"), it.count("confirmed")) == (1, 1)
        states = {span.status.status_code for span in it.spans("recover order")}
        assert states == {StatusCode.ERROR, StatusCode.UNSET}

    async def test_finishes_what_it_is_driving_before_it_ends(self, it: Place) -> None:
        for number in range(3):
            await it.leave_pending(f"k{number}")
        asked, free = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            asked.set()
            await free.wait()

        it.shop.payments_peer.wire.meanwhile[Step.CAPTURE] = wait
        recovery = it.recovery(concurrency=2)
        await recovery.start()
        await asked.wait()
        draining = asyncio.create_task(recovery.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        free.set()
        await draining
        assert sorted(it.statuses()) == ["confirmed", "confirmed", "pending"]
        await recovery.stop()

    async def test_lets_go_when_it_is_cut_off(self, it: Place) -> None:
        await it.leave_pending()
        asked, never = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            asked.set()
            await never.wait()

        it.shop.payments_peer.wire.meanwhile[Step.CAPTURE] = hang
        recovery = it.recovery()
        await recovery.start()
        await asked.wait()
        await recovery.stop()
        order = it.shop.orders.data.orders["ord_1"]
        assert (order.state, order.leased_until_us) == ("authorized", None)

    async def test_can_be_stopped_before_it_was_started(self, it: Place) -> None:
        await it.recovery().drain()
        await it.recovery().stop()


class TestExpiry:
    async def reserve(self, it: Place, orders: int) -> None:
        """Leaves orders whose reservations have expired."""
        it.shop.stock.data.products["p-1"] = replace(it.shop.stock.data.products["p-1"], available=orders)
        for number in range(orders):
            await it.leave_pending(f"k{number}")
        it.shop.clock.advance(seconds=3700)
        it.exporter.clear()

    def expiry(self, it: Place, interval: float = NEVER, grace: float = 0.0) -> Expiry:
        return Expiry(it.shop.inventory_peer.deps, it.telemetry, interval, grace)

    def given_back(self, it: Place) -> float:
        (sample,) = samples(it.telemetry.metrics, semconv.RESERVATIONS_EXPIRED.prometheus_name)
        return sample.value

    async def test_gives_back_all_that_has_expired_and_counts(self, it: Place) -> None:
        await self.reserve(it, BATCH + 1)
        async with running(self.expiry(it)):
            await become(lambda: it.shop.available("p-1") == BATCH + 1)
            await become(lambda: self.given_back(it) == BATCH + 1)

    async def test_leaves_time_after_the_start(self, it: Place) -> None:
        await self.reserve(it, 1)
        async with running(self.expiry(it, grace=NEVER)):
            for _ in range(100):
                await asyncio.sleep(0)
            assert it.shop.available("p-1") == 0
        assert self.given_back(it) == 0

    async def test_outlives_a_store_that_is_away(self, it: Place) -> None:
        await self.reserve(it, 1)
        it.shop.stock.away = True
        async with running(self.expiry(it, interval=0.001)):
            before = it.shop.stock.operations["find_expired"]
            await become(lambda: it.shop.stock.operations["find_expired"] >= before + 2)
            it.shop.stock.away = False
            await become(lambda: it.shop.available("p-1") == 1)

    async def test_can_be_stopped_before_it_was_started(self, it: Place) -> None:
        await self.expiry(it).drain()
        await self.expiry(it).stop()
