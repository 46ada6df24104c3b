"""Healthy histories for hypothesis: whatever orders may have come to, or be at, when nothing is wrong."""

from dataclasses import replace

from hypothesis import strategies as st

from chaos.invariants import Acknowledged
from chaos.invariants.evidence import Evidence
from tests.unit.invariants.stories import FINAL, MAX_PENDING_S, SECOND_US, Line, Story, left_behind

_NOTHING = ((None, None),)

# An order's state → what its payment and its reservation may be meanwhile, the order knowing its prices.
_MEANWHILE = {
    "confirmed": (("captured", "confirmed"),),
    "rejected": (("declined", "released"), ("voided", "released"), ("refunded", "released"), (None, "released")),
    "cancelled": (("voided", "released"), ("refunded", "released"), (None, "released")),
    "reserved": ((None, "held"), ("authorizing", "held"), ("authorized", "held"), ("declined", "held")),
    "authorized": (("authorized", "held"), ("capturing", "held"), ("captured", "held")),
    "captured": (("captured", "held"), ("captured", "confirmed")),
    "voiding": (("authorized", "held"), ("voiding", "held"), ("voided", "held")),
    "refunding": (("captured", "released"), ("refunding", "held"), ("refunded", "confirmed")),
    "releasing": (("declined", "held"), ("voided", "released"), ("refunded", "released")),
}
# The same of an order that never got its prices: the answer of the reservation was lost, or there was none.
_UNPRICED = {
    "created": (*_NOTHING, (None, "held")),
    "rejected": (*_NOTHING, ("voided", "released")),
    "cancelled": (*_NOTHING, (None, "released"), ("voided", "released")),
}


@st.composite
def stories(draw: st.DrawFn, number: int) -> Story:
    """One healthy order, the `number`th."""
    priced = draw(st.booleans())
    state, ways = draw(st.sampled_from(sorted((_MEANWHILE if priced else _UNPRICED).items())))
    payment, reservation = draw(st.sampled_from(ways))
    ages = st.integers(0, 10**15 if state in FINAL else int(MAX_PENDING_S * SECOND_US))
    leases = st.none() if state in FINAL else st.none() | st.integers(-(10**9), 5 * SECOND_US)
    return Story(
        f"ord-{number}",
        state,
        payment,
        reservation,
        tuple(draw(st.lists(_lines, min_size=1, max_size=3, unique_by=lambda line: line.product_id))),
        draw(st.sampled_from(["user-1", "user-2", "user-3"])),
        priced,
        begun=priced,
        filled=reservation != "released" or draw(st.booleans()),
        age_us=draw(ages),
        leased_us=draw(leases),
    )


@st.composite
def healthy(draw: st.DrawFn, *and_also: Story) -> Evidence:
    """The evidence of a run in which nothing is wrong; clients have heard of some of its orders."""
    made = [*and_also] + [draw(stories(number)) for number in range(draw(st.integers(0, 5)))]
    evidence = left_behind(made, draw(st.integers(0, 20)), told=())
    return replace(evidence, acknowledged=[told for each in made for told in draw(_told(each))])


_lines = st.builds(Line, st.sampled_from([f"p-{n}" for n in range(4)]), st.integers(1, 99), st.integers(1, 10**6))


def _told(story: Story) -> st.SearchStrategy[list[Acknowledged]]:
    last = story.told()
    answers = [last, replace(last, status="pending"), replace(last, idempotency_key=None)]
    if last.status == "cancelled":
        answers.append(replace(last, status="confirmed", cancellation_asked=True))
    return st.lists(st.sampled_from(answers), max_size=2)
