"""An order by itself, whatever its peers answer, whoever cancels, and however long it takes."""

from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import ProblemError
from services.contracts.limits import MAX_LINES, MAX_QUANTITY
from services.contracts.money.money import EUR, Money
from services.orders import domain
from services.orders.domain import TRANSITIONS, Order, Refusal, Reserved, successors
from services.orders.pace import Rules
from tests.fakes.shop import request

RULES = Rules(give_up_after_us=1000)
WHY = Refusal("payment-closed", "why")

events = st.lists(st.sampled_from(["done", "done", "refused", "cancelled", "old"]), max_size=30)
lines = st.lists(
    st.tuples(st.integers(1, MAX_QUANTITY), st.integers(1, 10**9)), min_size=1, max_size=MAX_LINES
)  # pieces and the price of one


def happened(it: Order, event: str) -> Order:
    """The order after an event; itself where that cannot be. Who drives a cancelled order turns it back first."""
    if it.turned(0, RULES) is not it and event in {"done", "refused"}:
        return it.turned(0, RULES)
    match event:
        case "done" if it.state in TRANSITIONS:
            return it.done()
        case "refused" if it.state in TRANSITIONS and TRANSITIONS[it.state].refused:
            return it.refused(WHY)
        case "old":
            return it.turned(RULES.give_up_after_us, RULES)
        case "cancelled":
            with suppress(ProblemError):
                return it.cancelled(1)
    return it


@given(events)
def test_whatever_happens_it_moves_as_the_table_says_and_comes_to_one_ending(some: list[str]) -> None:
    it = domain.placed("o", "u", "c", request(("p-1", 1)), 0)
    for event in some:
        after = happened(it, event)
        assert after.state in successors(it.state) | {it.state}
        assert after.refusal is None or after.cancelled_at_us is None
        it = after
    for _ in TRANSITIONS:  # its peers do all that they are asked for
        it = happened(it, "done")
    assert it.is_final
    reason, cancelled = it.refusal is not None, it.cancelled_at_us is not None
    assert it.status == ("rejected" if reason else "cancelled" if cancelled else "confirmed")


@given(lines)
def test_its_total_is_what_its_pieces_cost_exactly(some: list[tuple[int, int]]) -> None:
    names = [f"p-{number}" for number in range(len(some))]
    asked = request(*((name, pieces) for name, (pieces, _) in zip(names, some, strict=True)))
    it = domain.placed("o", "u", "c", asked, 0)
    assert it.total is None
    prices = {name: Money(price, EUR) for name, (_, price) in zip(names, some, strict=True)}
    total = it.reserved(Reserved(prices, 1)).total
    assert total == Money(sum(pieces * price for pieces, price in some), EUR)
    assert replace(it, lines=it.lines[::-1]).reserved(Reserved(prices, 1)).total == total
