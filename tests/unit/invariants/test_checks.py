"""The rules by themselves. That each kind of damage is found in real databases is shown in the integration tests."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.invariants import INVARIANTS, Acknowledged
from chaos.invariants.evidence import Evidence
from tests.unit.invariants.histories import healthy
from tests.unit.invariants.stories import ALL, DECLINED, SOLD, left_behind, with_told


def broken(evidence: Evidence) -> set[tuple[str, str]]:
    """The broken invariants, each with its subject."""
    checked = [each.check(evidence) for each in INVARIANTS]
    return {(violation.invariant, violation.subject) for each in checked for violation in each.violations}


@given(healthy())
def test_nothing_is_found_in_a_healthy_run(evidence: Evidence) -> None:
    assert not broken(evidence)


def test_the_example_run_is_healthy_and_gives_every_invariant_something_to_look_at() -> None:
    evidence = left_behind(ALL)
    assert not broken(evidence)
    assert all(each.check(evidence).looked_at for each in INVARIANTS)


def test_every_invariant_has_a_name_of_its_own_and_a_promise() -> None:
    names = {each.name for each in INVARIANTS}
    assert len(names) == len(INVARIANTS)
    assert all(each.promise.endswith(".") for each in INVARIANTS)


Damage = Callable[[st.DataObject, Evidence], tuple[Evidence, str]]
"""Does something to healthy evidence; returns it and the name of an invariant that must be broken then."""


def a_payment_is_lost(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, _ = pick(data, evidence.payments, lambda each: evidence.order_by_id[each.order_id].state == "confirmed")
    return replace(evidence, payments=without(evidence.payments, index)), "confirmed-order-is-charged-once"


def a_payment_is_there_twice(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    _, payment = pick(data, evidence.payments)
    return replace(evidence, payments=[*evidence.payments, payment]), "row-is-unique"


def an_amount_is_another(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, payment = pick(data, evidence.payments, lambda each: each.amount_minor is not None)
    other = data.draw(st.integers(1, 10**9).filter(lambda amount: amount != payment.amount_minor))
    changed = replace(payment, amount_minor=other)
    return replace(evidence, payments=swapped(evidence.payments, index, changed)), "payment-is-of-the-orders-total"


def an_order_is_lost(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, _ = pick(data, evidence.orders)
    return replace(evidence, orders=without(evidence.orders, index)), "key-has-its-order"


def pieces_appear_or_disappear(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, product = pick(data, evidence.products)
    off_by = data.draw(st.integers(-product.available, 10).filter(bool))
    changed = replace(product, available=product.available + off_by)
    return replace(evidence, products=swapped(evidence.products, index, changed)), "stock-is-conserved"


def a_reservation_moves(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, moved = pick(data, evidence.reservations, lambda each: bool(evidence.reserved_by_order.get(each.order_id)))
    state = "held" if moved.state == "released" else "released"
    changed = replace(moved, state=state)
    return replace(evidence, reservations=swapped(evidence.reservations, index, changed)), "stock-is-conserved"


def another_user_has_it(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, order = pick(data, evidence.orders)
    changed = replace(order, user_id="user-else")
    return replace(evidence, orders=swapped(evidence.orders, index, changed)), "order-has-one-key"


def a_line_is_lost(data: st.DataObject, evidence: Evidence) -> tuple[Evidence, str]:
    index, _ = pick(data, evidence.order_lines, lambda each: each.unit_price_minor is not None)
    return replace(evidence, order_lines=without(evidence.order_lines, index)), "order-total-is-of-its-lines"


@pytest.mark.parametrize(
    "damage",
    [
        a_payment_is_lost,
        a_payment_is_there_twice,
        an_amount_is_another,
        an_order_is_lost,
        pieces_appear_or_disappear,
        a_reservation_moves,
        another_user_has_it,
        a_line_is_lost,
    ],
)
@settings(max_examples=25)
@given(data=st.data(), evidence=healthy(SOLD))
def test_damage_is_found_whatever_else_there_is(damage: Damage, data: st.DataObject, evidence: Evidence) -> None:
    damaged, invariant = damage(data, evidence)
    assert invariant in {name for name, _ in broken(damaged)}


TOLD = Acknowledged(SOLD.order_id, SOLD.user_id, SOLD.key, "confirmed")


@pytest.mark.parametrize(
    ("told", "invariants"),
    [
        (TOLD, set()),
        (replace(TOLD, status="pending"), set()),
        (replace(TOLD, idempotency_key=None), set()),
        (replace(TOLD, cancellation_asked=True), set()),
        (replace(TOLD, status="rejected"), {"acknowledged-answer-holds"}),
        (replace(TOLD, status="cancelled"), {"acknowledged-answer-holds"}),
        (replace(TOLD, idempotency_key="another"), {"acknowledged-key-is-one-order"}),
        (replace(TOLD, order_id="ord-lost"), {"acknowledged-order-exists", "acknowledged-key-is-one-order"}),
        (replace(TOLD, user_id="user-2"), {"acknowledged-order-exists", "acknowledged-key-is-one-order"}),
    ],
)
def test_an_answer_is_held_to(told: Acknowledged, invariants: set[str]) -> None:
    assert broken(with_told(left_behind(ALL), told)) == {(name, told.order_id) for name in invariants}


def test_only_a_cancellation_changes_what_was_confirmed() -> None:
    cancelled = replace(SOLD, state="cancelled", payment="refunded", reservation="released")
    evidence = left_behind([cancelled], told=[TOLD])
    assert broken(evidence) == {("acknowledged-answer-holds", SOLD.order_id)}
    assert not broken(with_told(evidence, replace(TOLD, cancellation_asked=True)))
    assert not broken(with_told(evidence, TOLD, replace(TOLD, status="cancelled")))


def test_a_cancellation_does_not_excuse_a_rejection() -> None:
    rejected = replace(DECLINED, order_id=SOLD.order_id)
    evidence = left_behind([rejected], told=[replace(TOLD, idempotency_key=None, cancellation_asked=True)])
    assert broken(evidence) == {("acknowledged-answer-holds", SOLD.order_id)}


def test_two_orders_for_one_key_are_found() -> None:
    again = replace(SOLD, order_id="ord-again")
    evidence = left_behind([SOLD, again], told=[TOLD, replace(TOLD, order_id=again.order_id)])
    assert broken(evidence) == {("acknowledged-key-is-one-order", again.order_id)}


def pick(data: st.DataObject, rows: Any, fits: Callable[[Any], bool] = lambda _: True) -> tuple[int, Any]:
    """The index of a row that fits, and the row."""
    index = data.draw(st.sampled_from([index for index, row in enumerate(rows) if fits(row)]))
    return index, rows[index]


def without(rows: Any, index: int) -> list[Any]:
    return [*rows[:index], *rows[index + 1 :]]


def swapped(rows: Any, index: int, row: Any) -> list[Any]:
    return [*rows[:index], row, *rows[index + 1 :]]
