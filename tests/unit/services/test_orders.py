"""The checkout over a shop in memory: its endings, its repetitions, and answers that are lost on the way."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import ProblemError
from services.contracts.money.money import EUR, Money
from services.contracts.steps import Step
from services.inventory import use_cases as inventory
from services.inventory.domain import ReservationState
from services.orders import use_cases
from services.orders.domain import Order, OrderState
from services.payments.domain import PaymentState
from tests.fakes.shop import ALICE, BOB, NOBODY, Shop, product, request, shop
from tests.refusals import refused


async def checkout(of: Shop, payment_method: str = "pm_card_visa", quantity: int = 2, key: str = "k") -> Order:
    return await use_cases.checkout(of.deps, ALICE, key, request(("p-1", quantity), payment_method=payment_method))


class TestEndings:
    async def test_confirmed(self) -> None:
        it = shop()
        order = await checkout(it)
        assert (order.status, order.total, order.leased_until_us) == ("confirmed", Money(1000, EUR), None)
        assert it.available("p-1") == 8
        assert it.stock.data.reservations["ord_1"].state is ReservationState.CONFIRMED
        assert it.payments.data["ord_1"].state is PaymentState.CAPTURED
        assert it.payments.data["ord_1"].amount == Money(1000, EUR)
        steps = ["reserve", "authorize", "capture", "confirm"]
        assert it.listener.steps == list(zip(steps, ["reserved", "authorized", "captured", "confirmed"], strict=True))
        assert it.listener.endings == [order]

    async def test_declined(self) -> None:
        it = shop()
        problem = await refused("payment-declined", checkout(it, "pm_card_declined"))
        assert problem.extensions == {"order_id": "ord_1"}
        assert it.orders.data.orders["ord_1"].status == "rejected"
        assert it.available("p-1") == 10
        assert it.payments.data["ord_1"].state is PaymentState.DECLINED
        assert [step for step, _ in it.listener.steps] == ["reserve", "authorize", "release"]

    async def test_out_of_stock(self) -> None:
        it = shop()
        problem = await refused("out-of-stock", checkout(it, quantity=11))
        assert "11 of p-1 asked for, 10 available" in problem.errors[0].message
        assert it.orders.data.orders["ord_1"].status == "rejected"
        assert not it.payments.data
        assert it.available("p-1") == 10

    async def test_unknown_product(self) -> None:
        it = shop()
        asked = request(("p-1", 1), ("p-9", 1))
        problem = await refused("unknown-product", use_cases.checkout(it.deps, ALICE, "k", asked))
        assert problem.extensions == {"order_id": "ord_1"}
        assert [each.field for each in problem.errors] == ["lines[1].product_id"]

    async def test_a_reservation_that_ended_is_refunded(self) -> None:
        it = shop()
        it.inventory_peer.wire.losses = ["request", ""]  # reserve is answered, confirm is not
        await refused("service-unavailable", checkout(it))
        await inventory.release(it.inventory_peer.deps, ALICE, "ord_1")
        await refused("reservation-closed", checkout(it))
        assert it.payments.data["ord_1"].state is PaymentState.REFUNDED
        assert it.available("p-1") == 10


class TestNothingIsBegunFor:
    @pytest.mark.parametrize(
        ("payment_method", "quantity", "slug"),
        [
            ("pm_card_visa", 0, "validation-failed"),
            ("pm_card_visa", -1, "validation-failed"),
            ("pm_card_visa", 1001, "validation-failed"),
            ("pm_card_of_nobody", 1, "unknown-payment-method"),
        ],
    )
    async def test_bad_values(self, payment_method: str, quantity: int, slug: str) -> None:
        it = shop()
        await refused(slug, checkout(it, payment_method, quantity))
        assert not it.orders.data.orders

    @pytest.mark.parametrize(
        ("key", "slug"),
        [("", "idempotency-key-missing"), ("k" * 256, "validation-failed"), ("\n", "validation-failed")],
    )
    async def test_bad_keys(self, key: str, slug: str) -> None:
        it = shop()
        await refused(slug, checkout(it, key=key))
        assert not it.orders.data.orders

    async def test_those_who_may_not(self) -> None:
        it = shop()
        await refused("forbidden", use_cases.checkout(it.deps, NOBODY, "k", request(("p-1", 1))))
        await refused("forbidden", use_cases.get_order(it.deps, NOBODY, "ord_1"))
        await refused("forbidden", use_cases.list_orders(it.deps, NOBODY, 1, ""))
        assert not it.orders.data.orders


class TestTheSameKey:
    async def test_gets_the_same_order(self) -> None:
        it = shop()
        assert await checkout(it) == await checkout(it)
        assert len(it.orders.data.orders) == 1
        assert it.provider.calls == ["authorize", "capture"]

    @pytest.mark.parametrize(("payment_method", "quantity"), [("pm_card_declined", 1), ("pm_card_visa", 11)])
    async def test_gets_the_same_refusal(self, payment_method: str, quantity: int) -> None:
        it = shop()
        answers = []
        for _ in range(2):
            with pytest.raises(ProblemError) as raised:
                await checkout(it, payment_method, quantity)
            problem = raised.value
            answers.append((problem.slug, problem.detail, problem.errors, problem.extensions))
        assert answers[0] == answers[1]
        assert len(it.orders.data.orders) == 1

    async def test_is_not_for_another_request(self) -> None:
        it = shop()
        await checkout(it)
        await refused("idempotency-key-reused", checkout(it, quantity=3))

    async def test_of_another_user_is_another_key(self) -> None:
        it = shop()
        await checkout(it)
        other = await use_cases.checkout(it.deps, BOB, "k", request(("p-1", 2)))
        assert other.user_id == "bob"
        assert len(it.orders.data.orders) == 2

    async def test_at_the_same_moment_is_one_order_and_one_charge(self) -> None:
        it = shop()
        answers = await asyncio.gather(*(checkout(it) for _ in range(20)), return_exceptions=True)
        confirmed = [each for each in answers if isinstance(each, Order)]
        in_use = [each for each in answers if isinstance(each, ProblemError)]
        assert {each.order_id for each in confirmed} == {"ord_1"}
        assert len(confirmed) + len(in_use) == 20
        assert {(each.slug, each.retry_after) for each in in_use} <= {("idempotency-key-in-use", 1.0)}
        assert it.provider.calls == ["authorize", "capture"]
        assert await checkout(it) == confirmed[0]


class TestAnAnswerIsMissing:
    async def test_the_order_stays_pending_and_is_carried_on(self) -> None:
        it = shop()
        it.payments_peer.wire.losses = ["request"]
        problem = await refused("service-unavailable", checkout(it))
        assert (problem.retry_after, problem.extensions) == (1.0, {"order_id": "ord_1"})
        pending = await use_cases.get_order(it.deps, ALICE, "ord_1")
        assert (pending.status, pending.state, pending.leased_until_us) == ("pending", OrderState.RESERVED, None)
        assert [each.status for each in it.listener.endings] == ["pending"]
        assert (await checkout(it)).status == "confirmed"

    async def test_a_provider_that_fails_leaves_it_pending(self) -> None:
        it = shop()
        await refused("service-unavailable", checkout(it, "pm_card_failing"))
        assert it.orders.data.orders["ord_1"].state is OrderState.RESERVED

    async def test_a_store_that_is_away_leaves_it_to_the_end_of_its_lease(self) -> None:
        it = shop()

        async def lose_the_store() -> None:
            it.orders.away = True

        it.payments_peer.wire.meanwhile[Step.AUTHORIZE] = lose_the_store
        await refused("service-unavailable", checkout(it))
        it.orders.away = False
        problem = await refused("idempotency-key-in-use", checkout(it))
        assert problem.retry_after == 1.0
        it.clock.advance(seconds=6)
        it.payments_peer.wire.meanwhile.clear()
        assert (await checkout(it)).status == "confirmed"

    async def test_a_request_that_is_cancelled_lets_go_of_the_order(self) -> None:
        it = shop()
        asked, never = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            asked.set()
            await never.wait()

        it.payments_peer.wire.meanwhile[Step.CAPTURE] = hang
        first = asyncio.create_task(checkout(it))
        await asked.wait()
        await refused("idempotency-key-in-use", checkout(it))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        it.payments_peer.wire.meanwhile.clear()
        assert (await checkout(it)).status == "confirmed"
        assert it.provider.calls == ["authorize", "capture"]

    async def test_a_driver_that_came_second_is_told(self) -> None:
        """The lease ran out while the first was held up: the second finishes, the first stores nothing."""
        it = shop()
        asked, free = asyncio.Event(), asyncio.Event()

        async def wait_once() -> None:
            if not asked.is_set():
                asked.set()
                await free.wait()

        it.payments_peer.wire.meanwhile[Step.CAPTURE] = wait_once
        first = asyncio.create_task(checkout(it))
        await asked.wait()
        it.clock.advance(seconds=6)
        assert (await checkout(it)).status == "confirmed"
        free.set()
        await refused("idempotency-key-in-use", first)
        assert it.orders.data.orders["ord_1"].status == "confirmed"
        assert it.provider.calls == ["authorize", "capture"]

    async def test_a_refusal_it_cannot_have_is_our_fault(self) -> None:
        it = shop()

        async def forbid() -> None:
            raise ProblemError("forbidden")

        it.payments_peer.wire.meanwhile[Step.CAPTURE] = forbid
        await refused("internal", checkout(it))
        assert it.orders.data.orders["ord_1"].status == "pending"


class TestReading:
    async def test_one_sees_ones_own(self) -> None:
        it = shop()
        order = await checkout(it)
        assert await use_cases.get_order(it.deps, ALICE, order.order_id) == order
        assert (await use_cases.list_orders(it.deps, ALICE, 20, "")).items == (order,)

    async def test_one_does_not_see_anothers(self) -> None:
        it = shop()
        order = await checkout(it)
        await refused("order-not-found", use_cases.get_order(it.deps, BOB, order.order_id))
        assert (await use_cases.list_orders(it.deps, BOB, 20, "")).items == ()

    @pytest.mark.parametrize("order_id", ["", "ord_9", "\x00", "o" * 1000])
    async def test_what_there_is_not_is_not_found(self, order_id: str) -> None:
        await refused("order-not-found", use_cases.get_order(shop().deps, ALICE, order_id))

    async def test_pages_show_every_order_once_newest_first(self) -> None:
        it = shop(product("p-1", available=1000))
        for number in range(7):
            await checkout(it, key=f"k{number}")
        seen, cursor = [], ""
        while True:
            page = await use_cases.list_orders(it.deps, ALICE, 3, cursor)
            seen += [each.order_id for each in page.items]
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert seen == [f"ord_{number}" for number in range(7, 0, -1)]

    async def test_bad_pages_are_refused(self) -> None:
        it = shop()
        await refused("validation-failed", use_cases.list_orders(it.deps, ALICE, 0, ""))
        await refused("validation-failed", use_cases.list_orders(it.deps, ALICE, 101, ""))
        await refused("validation-failed", use_cases.list_orders(it.deps, ALICE, 1, "made up"))


class TestFingerprints:
    def test_the_same_request_has_the_same(self) -> None:
        assert request(("p-1", 1)).fingerprint() == request(("p-1", 1)).fingerprint()

    def test_every_difference_shows(self) -> None:
        requests = [
            request(("p-1", 1)),
            request(("p-1", 2)),
            request(("p-2", 1)),
            request(("p-1", 1), ("p-2", 1)),
            request(("p-2", 1), ("p-1", 1)),
            request(("p-1", 1), payment_method="pm_card_slow"),
        ]
        assert len({each.fingerprint() for each in requests}) == len(requests)


losses = st.lists(st.sampled_from(["", "request", "answer"]), max_size=12)
cards = st.sampled_from(["pm_card_visa", "pm_card_declined", "pm_card_slow"])


@settings(deadline=None)
@given(losses, losses, st.lists(st.sampled_from(["", "before", "after"]), max_size=6), cards, st.integers(1, 12))
def test_whatever_is_lost_the_books_agree_in_the_end(
    to_inventory: list[str], to_payments: list[str], at_provider: list[str], card: str, quantity: int
) -> None:
    it = shop()
    it.inventory_peer.wire.losses, it.payments_peer.wire.losses = list(to_inventory), list(to_payments)
    it.provider.failures = list(at_provider)
    # Each round uses up a loss at least, or ends.
    rounds = len(to_inventory) + len(to_payments) + len(at_provider) + 1
    ends = {asyncio.run(ending(it, card, quantity)) for _ in range(rounds)} - {"service-unavailable"}
    (order,) = it.orders.data.orders.values()
    assert order.is_final
    assert ends == {order.refusal.reason if order.refusal else "confirmed"}
    assert it.available("p-1") == (10 - quantity if order.status == "confirmed" else 10)
    charge = it.provider.books.get(order.order_id)
    assert (charge == "captured") == (order.status == "confirmed")
    assert charge in {"captured", None}


async def ending(it: Shop, card: str, quantity: int) -> str:
    try:
        return (await checkout(it, card, quantity)).status
    except ProblemError as problem:
        return problem.slug


async def test_every_operation_is_declared() -> None:
    it = shop()
    it.payments_peer.wire.losses = ["request"]
    await refused("service-unavailable", checkout(it))
    await checkout(it)
    await use_cases.get_order(it.deps, ALICE, "ord_1")
    await use_cases.list_orders(it.deps, ALICE, 1, "")
    await use_cases.cancel_order(it.deps, ALICE, "ord_1")
    it.payments_peer.wire.losses = ["request"]
    await refused("service-unavailable", checkout(it, key="other"))
    await use_cases.hasten(it.deps)
    for each in await use_cases.due_orders(it.deps, 8):
        await use_cases.recover(it.deps, each)
    assert set(it.orders.operations) == set(use_cases.OPERATIONS)
