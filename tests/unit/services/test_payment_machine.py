"""The steps of one payment, asked for in any order, again, at the same time and late, while all that can fail does."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.chassis.errors import CallError, ProblemError
from services.contracts.money.money import EUR, Money
from services.contracts.steps import Step
from services.orders import domain
from services.orders.domain import Order, Reserved
from services.payments.domain import PaymentState
from tests.conftest import Counts
from tests.fakes.crossroads import Actor, Crossroads, Fate
from tests.fakes.shop import ALICE, request, shop

STEPS = (Step.AUTHORIZE, Step.CAPTURE, Step.VOID, Step.REFUND)
CROSSINGS = 2  # of one step: the wire, and the provider

Way = tuple[int, Fate | str]
"""How many crossings go well, and what comes then: one with another fate, `waits` there, or `dies`."""

ways = st.tuples(st.integers(0, CROSSINGS), st.sampled_from([*Fate, "waits", "dies"]))


class PaymentMachine(RuleBasedStateMachine):
    """Keeps what was answered beside what payments and the provider have in their books."""

    card = "pm_card_visa"

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.it = shop()
        self.world = Crossroads(self.it)
        self.order = _order(self.card)
        self.done: set[Step] = set()

    @initialize(begun=st.booleans())
    def begin(self, begun: bool) -> None:
        """Most of what can happen needs an authorization."""
        if begun:
            self._run(self._ask(Step.AUTHORIZE))

    @rule(step=st.sampled_from(STEPS), way=ways)
    def ask(self, step: Step, way: Way) -> None:
        self._go(self._run(self.world.begin(step, self._ask(step))), way)

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

    @invariant()
    def the_card_is_charged_once_and_given_back_once(self) -> None:
        entries = self.world.charges.get("o", [])
        assert all(entries.count(each) <= 1 for each in entries), entries
        assert not {"voided", "captured"} <= {*entries}, entries

    @invariant()
    def what_was_answered_holds(self) -> None:
        payment = self.it.payments.data.get("o")
        if Step.VOID in self.done:
            assert payment
            assert payment.state in {PaymentState.VOIDED, PaymentState.DECLINED}
        if Step.CAPTURE in self.done:
            assert payment
            assert payment.state in {PaymentState.CAPTURED, PaymentState.REFUNDING, PaymentState.REFUNDED}
        if Step.REFUND in self.done:
            assert payment
            assert payment.state is PaymentState.REFUNDED

    def teardown(self) -> None:
        """Peace: what is late arrives, and whoever asks for the charge, and then for its undoing, gets an answer."""
        try:
            self.all_die()
            while self.world.late:
                self._run(self.world.deliver(0))
            self._settle(Step.AUTHORIZE, Step.CAPTURE)
            self._check_books()
            self._settle(Step.VOID, Step.REFUND)
            self._check_books()
            assert self._state() in {PaymentState.VOIDED, PaymentState.REFUNDED, PaymentState.DECLINED}
        finally:
            self.loop.close()

    def _settle(self, *steps: Step) -> None:
        for step in steps:
            self._run(self._ask(step))
        self.the_card_is_charged_once_and_given_back_once()
        self.what_was_answered_holds()

    def _check_books(self) -> None:
        """Payments and the provider agree; what was voided before it began never reached the provider."""
        assert self.it.provider.books.get("o") in _BOOKS[self._state()]

    def _state(self) -> PaymentState:
        return self.it.payments.data["o"].state

    async def _ask(self, step: Step) -> None:
        peer = self.it.payments_peer
        try:
            await getattr(peer, step)(ALICE, self.order)
            self.done.add(step)
        except (ProblemError, CallError):
            return

    def _go(self, actor: Actor, way: Way) -> None:
        well, then = way
        for _ in range(well):
            self._run(self.world.go_on(actor, Fate.WELL))
        if isinstance(then, Fate):
            self._run(self.world.go_on(actor, then))
        elif then == "dies":
            self._run(self.world.kill(actor))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)


_BOOKS: Mapping[PaymentState, set[str | None]] = {
    PaymentState.AUTHORIZING: {None},  # of a card that always fails
    PaymentState.CAPTURED: {"captured"},
    PaymentState.VOIDED: {None, "voided"},
    PaymentState.REFUNDED: {"refunded"},
    PaymentState.DECLINED: {None},
}
"""State in which a payment is when all is at rest → what may be in the provider's books."""


def _order(card: str) -> Order:
    """One that has its price."""
    placed = domain.placed("o", "alice", "tests", request(("p-1", 2), payment_method=card), 0)
    return placed.reserved(Reserved({"p-1": Money(500, EUR)}, 0))


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
@pytest.mark.parametrize("of_card", ["pm_card_visa", "pm_card_declined", "pm_card_failing"])
def test_whatever_happens_to_a_payment_the_card_is_charged_once_or_not_at_all(of_card: str, counts: Counts) -> None:
    class OfCard(PaymentMachine):
        card = of_card

    chosen = settings(
        max_examples=counts(150, 2000),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(OfCard, settings=chosen)
