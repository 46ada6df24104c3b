"""Cancelling an order at any moment: before, while and after its checkout is driven."""

import asyncio

import pytest

from services.contracts.steps import Step
from services.inventory.domain import ReservationState
from services.orders import use_cases
from services.orders.domain import Order, OrderState
from services.payments.domain import PaymentState
from tests.fakes.shop import ALICE, BOB, NOBODY, Shop, request, shop
from tests.refusals import refused

FORWARD = [Step.RESERVE, Step.AUTHORIZE, Step.CAPTURE, Step.CONFIRM]


async def checkout(of: Shop, payment_method: str = "pm_card_visa") -> Order:
    return await use_cases.checkout(of.deps, ALICE, "k", request(("p-1", 2), payment_method=payment_method))


async def cancel(of: Shop) -> Order:
    return await use_cases.cancel_order(of.deps, ALICE, "ord_1")


def assert_nothing_is_left(it: Shop) -> None:
    order = it.orders.data.orders["ord_1"]
    assert (order.status, order.refusal, order.due_at_us) == ("cancelled", None, None)
    assert it.available("p-1") == 10
    payment = it.payments.data.get("ord_1")
    assert payment is None or payment.state in {PaymentState.VOIDED, PaymentState.REFUNDED}
    assert it.provider.books.get("ord_1") in {None, "voided", "refunded"}
    assert it.stock.data.reservations["ord_1"].state is ReservationState.RELEASED


async def wait_at(it: Shop, step: Step) -> tuple[asyncio.Task[Order], asyncio.Event]:
    """A checkout that waits before its step, and what lets it go on."""
    asked, free = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        asked.set()
        await free.wait()

    for peer in (it.inventory_peer, it.payments_peer):
        peer.wire.meanwhile[step] = wait
    task = asyncio.create_task(checkout(it))
    await asked.wait()
    return task, free


class TestAConfirmedOrder:
    async def test_is_refunded_and_its_goods_are_free_again(self) -> None:
        it = shop()
        await checkout(it)
        cancelled = await cancel(it)
        assert cancelled.status == "cancelled"
        assert_nothing_is_left(it)
        assert it.provider.calls == ["authorize", "capture", "refund"]

    async def test_is_cancelled_once(self) -> None:
        it = shop()
        await checkout(it)
        assert await cancel(it) == await cancel(it)
        assert it.provider.calls == ["authorize", "capture", "refund"]

    async def test_by_many_at_a_time_too(self) -> None:
        it = shop()
        await checkout(it)
        answers = await asyncio.gather(*(cancel(it) for _ in range(20)))
        assert {each.status for each in answers} <= {"cancelled", "pending"}
        assert_nothing_is_left(it)
        assert it.provider.calls == ["authorize", "capture", "refund"]

    async def test_keeps_the_answer_that_its_checkout_got(self) -> None:
        it = shop()
        first = await checkout(it)
        it.payments_peer.wire.losses = ["request"]
        assert (await cancel(it)).status == "pending"
        assert (await checkout(it)).status == first.status == "confirmed"
        await cancel(it)
        again = await checkout(it)
        assert (again.status, again.order_id, again.lines) == ("confirmed", first.order_id, first.lines)
        assert (await use_cases.get_order(it.deps, ALICE, "ord_1")).status == "cancelled"
        assert it.provider.calls == ["authorize", "capture", "refund"]


class TestAnOrderOnItsWay:
    @pytest.mark.parametrize("step", FORWARD)
    async def test_is_turned_back_by_whoever_drives_it(self, step: Step) -> None:
        it = shop()
        driving, free = await wait_at(it, step)
        told = await cancel(it)
        assert told.status == "pending"
        assert await cancel(it) == told, "asked for again it is the same"
        free.set()
        problem = await refused("order-cancelled", driving)
        assert problem.extensions == {"order_id": "ord_1"}
        assert_nothing_is_left(it)
        assert [each.status for each in it.listener.endings] == ["cancelled"]
        assert len(it.listener.turns) == 1

    @pytest.mark.parametrize("lost", ["request", "answer"])
    @pytest.mark.parametrize("step", FORWARD)
    async def test_is_undone_at_once_when_nobody_drives_it(self, step: Step, lost: str) -> None:
        it = shop()
        peer = it.inventory_peer if step in {Step.RESERVE, Step.CONFIRM} else it.payments_peer
        peer.wire.losses = [lost] if step in {Step.RESERVE, Step.AUTHORIZE} else [lost, ""]
        await refused("service-unavailable", checkout(it))
        assert (await cancel(it)).status == "cancelled"
        assert_nothing_is_left(it)
        problem = await refused("order-cancelled", checkout(it))
        assert problem.extensions == {"order_id": "ord_1"}

    @pytest.mark.parametrize("lost", ["request", "answer"])
    @pytest.mark.parametrize("step", FORWARD)
    async def test_is_free_at_once_when_its_driver_hears_nothing(self, step: Step, lost: str) -> None:
        """Its driver lets go of it as it is stored, with the mark that was made meanwhile."""
        it = shop()
        driving, free = await wait_at(it, step)
        assert (await cancel(it)).status == "pending"
        peer = it.inventory_peer if step in {Step.RESERVE, Step.CONFIRM} else it.payments_peer
        peer.wire.losses = [lost]
        free.set()
        await refused("service-unavailable", driving)
        assert (await cancel(it)).status == "cancelled"
        assert_nothing_is_left(it)

    async def test_whose_driver_died_is_undone_by_the_recovery(self) -> None:
        it = shop()
        driving, _ = await wait_at(it, Step.CAPTURE)
        it.orders.away = True  # so that it cannot even let go
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)
        it.orders.away = False
        assert (await cancel(it)).status == "pending"
        assert list(await use_cases.due_orders(it.deps, 8)) == []
        it.clock.advance(seconds=6)
        (due,) = await use_cases.due_orders(it.deps, 8)
        assert (await use_cases.recover(it.deps, due)).status == "cancelled"
        assert_nothing_is_left(it)

    async def test_whose_driver_was_held_up_is_undone_without_it(self) -> None:
        it = shop()
        driving, free = await wait_at(it, Step.CAPTURE)
        it.clock.advance(seconds=6)
        assert (await cancel(it)).status == "cancelled"
        free.set()
        await refused("idempotency-key-in-use", driving)
        await refused("order-cancelled", checkout(it))
        assert_nothing_is_left(it)

    async def test_stays_cancelled_though_its_card_was_declined(self) -> None:
        """The answer that the driver was waiting for does not matter any more."""
        it = shop()
        asked, free = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            asked.set()
            await free.wait()

        it.payments_peer.wire.meanwhile[Step.AUTHORIZE] = wait
        driving = asyncio.create_task(checkout(it, "pm_card_declined"))
        await asked.wait()
        await cancel(it)
        free.set()
        await refused("order-cancelled", driving)
        assert it.orders.data.orders["ord_1"].status == "cancelled"
        assert it.payments.data["ord_1"].state is PaymentState.DECLINED
        assert it.available("p-1") == 10

    async def test_that_is_being_given_up_ends_cancelled(self) -> None:
        it = shop()
        await refused("service-unavailable", checkout(it, "pm_card_failing"))
        it.clock.advance(seconds=61)
        it.inventory_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it, "pm_card_failing"))
        assert it.orders.data.orders["ord_1"].state is OrderState.RELEASING
        assert (await cancel(it)).status == "cancelled"
        assert_nothing_is_left(it)


class TestNot:
    async def test_what_came_to_nothing(self) -> None:
        it = shop()
        await refused("payment-declined", checkout(it, "pm_card_declined"))
        before = it.orders.data.orders["ord_1"]
        problem = await refused("order-not-cancellable", cancel(it))
        assert problem.extensions == {"order_id": "ord_1"}
        assert it.orders.data.orders["ord_1"] == before
        await refused("payment-declined", checkout(it, "pm_card_declined"))

    @pytest.mark.parametrize("order_id", ["", "ord_9", "\x00", "o" * 1000])
    async def test_what_there_is_not(self, order_id: str) -> None:
        await refused("order-not-found", use_cases.cancel_order(shop().deps, ALICE, order_id))

    async def test_by_others(self) -> None:
        it = shop()
        await checkout(it)
        await refused("order-not-found", use_cases.cancel_order(it.deps, BOB, "ord_1"))
        await refused("forbidden", use_cases.cancel_order(it.deps, NOBODY, "ord_1"))
        assert it.orders.data.orders["ord_1"].status == "confirmed"
