"""Orders that come no further: carried on, renewed, given up, and what becomes of their goods and their money."""

import asyncio
from dataclasses import replace

import pytest

from services.chassis.errors import CallError
from services.contracts.steps import Step
from services.inventory import use_cases as inventory
from services.inventory.domain import ReservationState
from services.orders import use_cases
from services.orders.domain import Order, OrderState
from services.orders.driver import DrivenElsewhereError
from services.orders.pace import Rules
from services.payments.domain import PaymentState
from tests.fakes.shop import ALICE, Shop, request, shop
from tests.refusals import refused


async def checkout(of: Shop, payment_method: str = "pm_card_visa") -> Order:
    return await use_cases.checkout(of.deps, ALICE, "k", request(("p-1", 2), payment_method=payment_method))


async def recovered(of: Shop) -> Order:
    """The one order that is due, after the recovery had it."""
    (due,) = await use_cases.due_orders(of.deps, 8)
    return await use_cases.recover(of.deps, due)


def stored(of: Shop) -> Order:
    return of.orders.data.orders["ord_1"]


class TestTheRecovery:
    @pytest.mark.parametrize("lost", ["request", "answer"])
    @pytest.mark.parametrize("step", [Step.RESERVE, Step.AUTHORIZE, Step.CAPTURE, Step.CONFIRM])
    async def test_carries_on_what_an_outage_left(self, step: Step, lost: str) -> None:
        it = shop()
        peer = it.inventory_peer if step in {Step.RESERVE, Step.CONFIRM} else it.payments_peer
        peer.wire.losses = [lost] if step in {Step.RESERVE, Step.AUTHORIZE} else [lost, ""]
        await refused("service-unavailable", checkout(it))
        assert list(await use_cases.due_orders(it.deps, 8)) == [], "its customer is quicker, if they want"
        it.clock.advance(seconds=1.1)
        assert (await recovered(it)).status == "confirmed"
        assert it.provider.calls == ["authorize", "capture"]
        assert (await checkout(it)).status == "confirmed"

    async def test_leaves_alone_what_is_driven(self) -> None:
        it = shop()
        asked, never = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            asked.set()
            await never.wait()

        it.payments_peer.wire.meanwhile[Step.CAPTURE] = hang
        first = asyncio.create_task(checkout(it))
        await asked.wait()
        it.clock.advance(seconds=4)
        assert list(await use_cases.due_orders(it.deps, 8)) == []
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    async def test_acts_for_the_orders_user(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=2)
        order = await recovered(it)
        assert (order.user_id, order.client_id) == ("alice", "tests")

    async def test_of_two_is_one(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=2)
        (due,) = await use_cases.due_orders(it.deps, 8)
        both = await asyncio.gather(*(use_cases.recover(it.deps, due) for _ in range(2)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in both) == [DrivenElsewhereError.__name__, Order.__name__]
        assert it.provider.calls == ["authorize", "capture"]

    async def test_waits_longer_after_each_failure(self) -> None:
        it = shop()
        it.inventory_peer.wire.losses = ["request"] * 9 + [""]
        await refused("service-unavailable", checkout(it))
        waits = []
        for _ in range(7):
            due_at = stored(it).due_at_us
            assert due_at is not None
            waits.append(round((due_at - it.clock.now_us) / 1_000_000))
            it.clock.now_us = due_at
            with pytest.raises(CallError):
                await recovered(it)
        assert waits == [1, 2, 4, 8, 16, 30, 30]

    async def test_takes_few_at_a_time(self) -> None:
        it = shop()
        for number in range(5):
            it.inventory_peer.wire.losses = ["request"]
            order = use_cases.checkout(it.deps, ALICE, f"k{number}", request(("p-1", 1)))
            await refused("service-unavailable", order)
        it.clock.advance(seconds=2)
        assert [each.order_id for each in await use_cases.due_orders(it.deps, 3)] == ["ord_1", "ord_2", "ord_3"]


class TestGivingUp:
    async def test_a_card_that_always_fails_ends_rejected(self) -> None:
        it = shop()
        await refused("service-unavailable", checkout(it, "pm_card_failing"))
        for _ in range(8):
            it.clock.now_us = stored(it).due_at_us or it.clock.now_us
            try:
                order = await recovered(it)
                break
            except CallError:
                assert stored(it).status == "pending"
        assert (order.status, order.refusal and order.refusal.reason) == ("rejected", "payment-unavailable")
        assert 60 <= (it.clock.now_us - order.created_at_us) / 1_000_000 < 61
        assert it.payments.data["ord_1"].state is PaymentState.VOIDED
        assert it.available("p-1") == 10
        problem = await refused("payment-unavailable", checkout(it, "pm_card_failing"))
        assert problem.extensions == {"order_id": "ord_1"}
        assert "60 s" in problem.detail

    @pytest.mark.parametrize("lost", ["request", "answer"])
    async def test_an_order_whose_goods_are_unknown_is_released(self, lost: str) -> None:
        it = shop()
        it.inventory_peer.wire.losses = [lost]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=61)
        order = await recovered(it)
        assert (order.status, order.refusal and order.refusal.reason) == ("rejected", "inventory-unavailable")
        assert it.stock.data.reservations["ord_1"].state is ReservationState.RELEASED
        assert it.available("p-1") == 10
        assert not it.payments.data

    async def test_one_whose_capture_was_not_begun_is_voided(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["request", ""]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=61)
        assert (await recovered(it)).status == "rejected"
        assert it.provider.books == {"ord_1": "voided"}

    async def test_one_that_turns_out_to_be_paid_is_carried_forward(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["answer", ""]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=61)
        order = await recovered(it)
        assert (order.status, order.refusal) == ("confirmed", None)
        assert it.provider.books == {"ord_1": "captured"}
        assert it.provider.calls == ["authorize", "capture"]

    async def test_one_that_is_captured_is_carried_forward_however_old(self) -> None:
        it = shop()
        it.inventory_peer.wire.losses = ["request", ""]
        await refused("service-unavailable", checkout(it))
        assert stored(it).state is OrderState.CAPTURED
        it.clock.advance(seconds=100_000)
        assert (await recovered(it)).status == "confirmed"

    async def test_whoever_drives_it_gives_up_by_the_same_rule(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=61)
        await refused("payment-unavailable", checkout(it))
        assert [each.status for each in it.listener.endings] == ["pending", "rejected"]


class TestReservationsEnd:
    """Orders may take longer here than their goods are held."""

    @pytest.fixture
    def it(self) -> Shop:
        made = shop()
        made.deps = replace(made.deps, rules=Rules(give_up_after_us=10**12))
        return made

    async def expire(self, it: Shop) -> int:
        return await inventory.expire(it.inventory_peer.deps, 50)

    async def test_they_are_renewed_before_money_is_asked_for(self, it: Shop) -> None:
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=3597)
        it.payments_peer.wire.losses = ["request"]
        with pytest.raises(CallError):
            await recovered(it)
        it.clock.advance(seconds=5)
        assert await self.expire(it) == 0
        assert (await recovered(it)).status == "confirmed"
        assert it.available("p-1") == 8

    async def test_they_are_left_alone_while_there_is_time(self, it: Shop) -> None:
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=3000)
        before = it.stock.operations["reserve"]
        assert (await recovered(it)).status == "confirmed"
        assert it.stock.operations["reserve"] == before

    @pytest.mark.parametrize("losses", [["answer"], ["request"], ["request", ""]])
    async def test_one_that_has_ended_undoes_the_order(self, it: Shop, losses: list[str]) -> None:
        it.payments_peer.wire.losses = losses
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=3601)
        assert await self.expire(it) == 1
        order = await recovered(it)
        assert (order.status, order.refusal and order.refusal.reason) == ("rejected", "reservation-closed")
        assert it.provider.books.get("ord_1") in {None, "voided"}
        assert it.available("p-1") == 10
        await refused("reservation-closed", checkout(it))

    async def test_one_that_ended_after_the_capture_is_refunded(self, it: Shop) -> None:
        it.inventory_peer.wire.losses = ["request", ""]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=3601)
        assert await self.expire(it) == 1
        assert (await recovered(it)).status == "rejected"
        assert it.provider.books == {"ord_1": "refunded"}
        assert it.available("p-1") == 10

    async def test_one_that_cannot_be_renewed_is_asked_no_money_for(self, it: Shop) -> None:
        it.payments_peer.wire.losses = ["request"]
        await refused("service-unavailable", checkout(it))
        it.clock.advance(seconds=3601)
        it.inventory_peer.wire.losses = ["request"]
        with pytest.raises(CallError):
            await recovered(it)
        assert it.provider.calls == []

    async def test_a_time_shorter_than_any_drive_is_renewed_once_a_step(self, it: Shop) -> None:
        it.inventory_peer.deps = replace(it.inventory_peer.deps, hold_for_us=1_000_000)
        assert (await checkout(it)).status == "confirmed"
        assert it.stock.operations["reserve"] == 3
