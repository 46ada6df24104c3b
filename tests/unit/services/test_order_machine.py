"""Checkouts, cancellations and recoveries, interleaved in every way hypothesis thinks of, while all that can fail does.

At rest no order is pending, and money and goods are where the orders say.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from services.chassis.errors import CallError, ProblemError
from services.inventory import use_cases as inventory
from services.inventory.domain import ReservationState
from services.orders import use_cases
from services.orders.domain import Order
from services.orders.driver import DrivenElsewhereError
from services.orders.pace import Rules
from services.payments.domain import PaymentState
from tests.conftest import Counts
from tests.fakes.crossroads import Actor, Crossroads, Fate
from tests.fakes.shop import ALICE, Shop, product, request, shop

STOCK = 3
GOODS = product("p-1", available=STOCK)
KEYS = ("k1", "k2", "k3", "k4", "k5")
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_declined", "pm_card_failing")
CROSSINGS = 12  # of a checkout, one more than it has
TIMES_S = (0.5, 2.0, 6.0, 30.0, 61.0, 130.0)
HOLD_S = 100
GIVE_UP_S = 60
UNDONE = (None, PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DECLINED)

keys, cards = st.sampled_from(KEYS), st.sampled_from(CARDS)

Way = tuple[int, Fate | str]
"""How many crossings go well, and what comes then: one with another fate, `waits` there, or `dies`."""

ways = st.tuples(st.integers(0, CROSSINGS), st.sampled_from([*Fate, "waits", "dies"]))


class OrderMachine(RuleBasedStateMachine):
    """Keeps what clients were told beside what is stored."""

    def __init__(self, it: Shop | None = None, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """`it` is a shop with `GOODS`, in memory unless told; the loop in which it runs is not closed."""
        super().__init__()
        self.loop, self._is_own = loop or asyncio.new_event_loop(), loop is None
        it = it or shop(GOODS)
        it.deps = replace(it.deps, rules=Rules(give_up_after_us=GIVE_UP_S * 1_000_000))
        it.inventory_peer.deps = replace(it.inventory_peer.deps, hold_for_us=HOLD_S * 1_000_000)
        self.it, self.world = it, Crossroads(it)
        self.told_confirmed: set[str] = set()
        self.told_nothing: set[str] = set()
        self.asked_to_cancel: set[str] = set()
        self.promised_to_cancel: set[str] = set()

    @rule(key=keys, card=cards, quantity=st.integers(1, 3), way=ways)
    def check_out(self, key: str, card: str, quantity: int, way: Way) -> None:
        self._begin(f"checkout {key}", self._check_out(key, card, quantity), way)

    @rule(key=keys, way=ways)
    def cancel(self, key: str, way: Way) -> None:
        record = self.it.orders.data.records.get(("alice", key))
        if record:
            self.asked_to_cancel.add(record.order_id)
            self._begin(f"cancel {key}", self._cancel(record.order_id), way)

    @rule(way=ways)
    def recover(self, way: Way) -> None:
        for order in self._run(use_cases.due_orders(self.it.deps, 8)):
            self._begin(f"recover {order.order_id}", self._recover(order), way)

    @rule(index=st.integers(0, 2), way=ways)
    @precondition(lambda self: self.world.actors)
    def go_on(self, index: int, way: Way) -> None:
        self._go(self.world.actors[index % len(self.world.actors)], way)

    @rule()
    @precondition(lambda self: self.world.actors)
    def all_die(self) -> None:
        while self.world.actors:
            self._run(self.world.kill(self.world.actors[0]))

    @rule(index=st.integers(0, 2))
    @precondition(lambda self: self.world.late)
    def arrive_late(self, index: int) -> None:
        self._run(self.world.deliver(index % len(self.world.late)))

    @rule(seconds=st.sampled_from(TIMES_S), expire=st.booleans())
    def wait(self, seconds: float, expire: bool) -> None:
        self.it.clock.advance(seconds)
        if expire:
            self._run(inventory.expire(self.it.inventory_peer.deps, 50))

    @invariant()
    def no_piece_is_lost_or_made_up(self) -> None:
        taken = [each for each in self.it.stock.data.reservations.values() if each.state is not _RELEASED]
        pieces = sum(line.quantity for each in taken for line in each.lines)
        assert 0 <= self.it.available("p-1") == STOCK - pieces

    @invariant()
    def nobody_is_charged_twice(self) -> None:
        for order_id, entries in self.world.charges.items():
            assert entries.count("authorized") <= 1 >= entries.count("captured"), f"{order_id}: {entries}"

    @invariant()
    def what_clients_were_told_holds(self) -> None:
        for order_id in self.told_confirmed - self.asked_to_cancel:
            assert self._order(order_id).status == "confirmed"
        for order_id in self.told_nothing:
            assert self._order(order_id).status in {"rejected", "cancelled"}

    def teardown(self) -> None:
        """Peace: nothing fails any more. Late requests arrive when all is at rest, and change nothing."""
        try:
            self.all_die()
            self._come_to_rest()
            self._check_all()
            before = (self.it.stock.data, self.it.payments.data)
            while self.world.late:
                self._run(self.world.deliver(0))
            self._check_all()
            assert (self.it.stock.data, self.it.payments.data) == before
        finally:
            if self._is_own:
                self.loop.close()

    def _come_to_rest(self) -> None:
        for _ in range(10):
            self.it.clock.advance(31)
            for order in self._run(use_cases.due_orders(self.it.deps, 8)):
                self._run(self._recover(order))
        self.wait(HOLD_S, expire=True)

    def _check_all(self) -> None:
        for order in self.it.orders.data.orders.values():
            assert order.is_final, order
            assert order.due_at_us is None
            if order.status == "confirmed":
                self._check_sold(order)
            else:
                self._check_unsold(order)
            assert (order.status == "cancelled") <= (order.order_id in self.asked_to_cancel)
        for order_id in self.promised_to_cancel:
            assert self._order(order_id).status == "cancelled"
        assert len(self.it.orders.data.orders) == len(self.it.orders.data.records)
        self.no_piece_is_lost_or_made_up()
        self.nobody_is_charged_twice()
        self.what_clients_were_told_holds()

    def _check_sold(self, order: Order) -> None:
        payment = self.it.payments.data[order.order_id]
        assert (payment.state, payment.amount) == (PaymentState.CAPTURED, order.total)
        assert self.it.provider.books[order.order_id] == "captured"
        assert self.it.stock.data.reservations[order.order_id].state is ReservationState.CONFIRMED

    def _check_unsold(self, order: Order) -> None:
        payment = self.it.payments.data.get(order.order_id)
        assert (payment.state if payment else None) in UNDONE
        assert self.it.provider.books.get(order.order_id) in {None, "voided", "refunded"}
        reservation = self.it.stock.data.reservations.get(order.order_id)
        assert reservation is None or reservation.state is _RELEASED

    async def _check_out(self, key: str, card: str, quantity: int) -> None:
        asked = request(("p-1", quantity), payment_method=card)
        try:
            order = await use_cases.checkout(self.it.deps, ALICE, key, asked)
            assert order.order_id not in self.told_nothing, "the answer that was given stays"
            self.told_confirmed.add(order.order_id)
        except ProblemError as problem:
            order_id = problem.extensions.get("order_id")
            if order_id and problem.slug not in _PENDING:
                assert order_id not in self.told_confirmed, "the answer that was given stays"
                self.told_nothing.add(order_id)
        except CallError:
            return

    async def _cancel(self, order_id: str) -> None:
        with suppress(ProblemError, CallError):
            await use_cases.cancel_order(self.it.deps, ALICE, order_id)
            self.promised_to_cancel.add(order_id)

    async def _recover(self, order: Order) -> None:
        with suppress(CallError, DrivenElsewhereError):
            await use_cases.recover(self.it.deps, order)

    def _begin(self, what: str, work: Coroutine[Any, Any, None], way: Way) -> None:
        self._go(self._run(self.world.begin(what, work)), way)

    def _go(self, actor: Actor, way: Way) -> None:
        well, then = way
        for _ in range(well):
            self._run(self.world.go_on(actor, Fate.WELL))
        if isinstance(then, Fate):
            self._run(self.world.go_on(actor, then))
        elif then == "dies":
            self._run(self.world.kill(actor))

    def _order(self, order_id: str) -> Order:
        return self.it.orders.data.orders[order_id]

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)


_RELEASED = ReservationState.RELEASED
_PENDING = {"idempotency-key-in-use", "service-unavailable", "deadline-exceeded"}


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_whatever_happens_orders_money_and_goods_agree_in_the_end(counts: Counts) -> None:
    chosen = settings(
        max_examples=counts(400, 5000),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(OrderMachine, settings=chosen)
