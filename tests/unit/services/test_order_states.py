"""The table of an order's states, and the moves that an order makes by it."""

from dataclasses import replace

import pytest

from services.chassis.errors import FieldError, ProblemError
from services.contracts.errors import CATALOGUE
from services.contracts.steps import Step
from services.orders import domain
from services.orders.domain import (
    GIVEN_UP,
    PREDECESSORS,
    TRANSITIONS,
    TURNS,
    Order,
    OrderState,
    Refusal,
    successors,
)
from services.orders.pace import BACKOFF_US, Rules, backoff_us
from tests.fakes.shop import request

FINAL = {OrderState.CONFIRMED, OrderState.REJECTED, OrderState.CANCELLED}
WHY = Refusal("payment-closed", "why")
RULES = Rules(give_up_after_us=1000, backoff_max_us=30_000_000)


def order(state: OrderState = OrderState.CREATED) -> Order:
    return replace(domain.placed("o", "u", "c", request(("p-1", 1)), 0), state=state)


class TestTheTable:
    def test_every_state_is_final_or_has_a_step_and_all_are_reached(self) -> None:
        reached = {OrderState.CREATED}.union(*(each.ways for each in TRANSITIONS.values()))
        assert reached == set(OrderState)
        assert set(OrderState) - set(TRANSITIONS) == FINAL

    def test_every_step_is_in_it(self) -> None:
        assert {each.step for each in TRANSITIONS.values()} == set(Step)

    def test_every_refusal_is_in_the_catalogue(self) -> None:
        refusals = {slug for each in TRANSITIONS.values() for slug in each.refusals} | set(GIVEN_UP.values())
        assert refusals <= set(CATALOGUE)
        assert all(CATALOGUE[slug].http_status < 500 for slug in refusals)

    def test_a_state_can_be_refused_where_refusals_are_named(self) -> None:
        assert all(bool(each.refusals) == (each.refused is not None) for each in TRANSITIONS.values())

    def test_every_way_ends(self) -> None:
        """No cycle: the longest way has fewer moves than there are states."""

        def longest(state: OrderState) -> int:
            return max((1 + longest(after) for after in successors(state) - {state}), default=0)

        assert longest(OrderState.CREATED) < len(OrderState)

    def test_what_can_be_given_up_is_not_captured(self) -> None:
        """And all that is not captured can be, unless it is on its way back already."""
        captured = {OrderState.CAPTURED, OrderState.CONFIRMED}
        assert set(TURNS) == set(GIVEN_UP) | captured
        assert not set(GIVEN_UP) & captured

    def test_the_inverse_is_the_inverse(self) -> None:
        for before in OrderState:
            assert {after for after in OrderState if before in PREDECESSORS[after]} == successors(before)

    def test_what_came_to_nothing_stays_so(self) -> None:
        assert successors(OrderState.REJECTED) == successors(OrderState.CANCELLED) == frozenset()
        assert successors(OrderState.CONFIRMED) == {OrderState.REFUNDING}


class TestRefusals:
    def test_the_first_is_the_reason(self) -> None:
        first = replace(order(OrderState.VOIDING), refusal=WHY)
        assert first.refused(Refusal("payment-closed", "second")).refusal == WHY

    @pytest.mark.parametrize("state", [OrderState.REFUNDING, OrderState.RELEASING])
    def test_what_must_succeed_cannot_be_refused(self, state: OrderState) -> None:
        with pytest.raises(ValueError, match="no way on"):
            order(state).refused(Refusal("payment-closed", "", (FieldError("a", "b"),)))


class TestTurning:
    @pytest.mark.parametrize("state", OrderState)
    def test_a_cancelled_order_goes_back_and_ends_cancelled(self, state: OrderState) -> None:
        if state is OrderState.REJECTED:
            with pytest.raises(ProblemError, match="order-not-cancellable"):
                order(state).cancelled(1)
            return
        it = replace(order(state), refusal=WHY).cancelled(1)
        assert (it.refusal, it.cancelled(2)) == (None, it)
        it = it.turned(1, RULES)
        while not it.is_final:
            assert it.turned(2000, RULES) is it
            refused = it.refused(WHY) if TRANSITIONS[it.state].refused else it
            assert refused.refusal is None
            it = it.done()
        assert it.state is OrderState.CANCELLED

    @pytest.mark.parametrize("state", OrderState)
    def test_an_old_order_is_given_up_if_it_is_not_captured(self, state: OrderState) -> None:
        assert order(state).turned(999, RULES).state is state
        old = order(state).turned(1000, RULES)
        if state not in GIVEN_UP:
            assert old.state is state
            return
        assert old.state is TURNS[state]
        assert old.is_given_up
        assert old.refusal
        assert old.refusal.reason == GIVEN_UP[state]

    def test_one_that_was_paid_after_all_goes_on(self) -> None:
        paid = order(OrderState.AUTHORIZED).turned(1000, RULES).refused(WHY)
        assert (paid.state, paid.refusal) == (OrderState.CAPTURED, None)
        assert paid.turned(10**9, RULES) is paid

    def test_one_that_was_paid_and_cancelled_is_refunded(self) -> None:
        paid = order(OrderState.AUTHORIZED).turned(1000, RULES).cancelled(1001).refused(WHY)
        assert (paid.state, paid.refusal) == (OrderState.REFUNDING, None)


class TestTheRecoverysPatience:
    def test_it_doubles_up_to_its_limit(self) -> None:
        seconds = [backoff_us(failures, RULES) // 1_000_000 for failures in (0, 1, 2, 3, 4, 5, 10**6)]
        assert seconds == [1, 2, 4, 8, 16, 30, 30]

    def test_it_grows_with_each_failure_and_not_with_a_claim(self) -> None:
        it, waits = order(OrderState.CAPTURED), []
        for _ in range(4):
            it = it.claimed(0).let_go(0, RULES)
            waits.append(it.due_at_us)
        assert waits == [BACKOFF_US, 2 * BACKOFF_US, 4 * BACKOFF_US, 8 * BACKOFF_US]

    def test_it_begins_anew_with_each_step_forward(self) -> None:
        it = replace(order(OrderState.CAPTURED), failures=4).done()
        assert it.failures == 0

    def test_it_does_not_outlast_the_time_to_give_up(self) -> None:
        rules = Rules(give_up_after_us=60_000_000, backoff_max_us=30_000_000)
        it = replace(order(OrderState.RESERVED), failures=9)
        assert it.let_go(50_000_000, rules).due_at_us == 60_000_000
        assert it.let_go(59_999_999, rules).due_at_us == 60_999_999
        assert replace(it, state=OrderState.CAPTURED).let_go(50_000_000, rules).due_at_us == 80_000_000
