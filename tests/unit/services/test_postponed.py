"""Payments is away and orders are kept for later: a checkout ends pending, without an error, and is finished later."""

import pytest

from services.contracts.steps import Step
from services.orders import use_cases
from services.orders.domain import Order, OrderState
from services.orders.ports import StepPostponedError
from tests.fakes.shop import ALICE, Shop, request, shop
from tests.refusals import refused


def postponing(*losses: str) -> Shop:
    """A shop whose payments loses those requests or answers, and which keeps its orders then."""
    it = shop()
    it.payments_peer.postpones = True
    it.payments_peer.wire.losses = list(losses)
    return it


async def checkout(it: Shop, payment_method: str = "pm_card_visa") -> Order:
    return await use_cases.checkout(it.deps, ALICE, "k", request(("p-1", 2), payment_method=payment_method))


@pytest.mark.parametrize(
    ("losses", "state"),
    [
        (["request"], OrderState.RESERVED),
        (["answer"], OrderState.RESERVED),
        (["request", ""], OrderState.AUTHORIZED),
        (["answer", ""], OrderState.AUTHORIZED),
    ],
)
async def test_a_checkout_ends_with_the_order_as_far_as_it_came(losses: list[str], state: OrderState) -> None:
    it = postponing(*losses)
    order = await checkout(it)
    assert (order.status, order.state) == ("pending", state)
    assert order.total is not None, "the goods are reserved, and so their prices are known"
    assert [each.status for each in it.listener.endings] == ["pending"]
    assert it.orders.data.orders["ord_1"].leased_until_us is None, "nobody drives it now"


@pytest.mark.parametrize("losses", [["request"], ["answer"], ["answer", ""]])
async def test_it_is_finished_by_the_recovery_and_charged_once(losses: list[str]) -> None:
    it = postponing(*losses)
    await checkout(it)
    it.clock.advance(seconds=2)
    (due,) = await use_cases.due_orders(it.deps, 10)
    assert (await use_cases.recover(it.deps, due)).status == "confirmed"
    assert it.provider.books == {"ord_1": "captured"}


async def test_or_by_a_repetition_which_is_answered_like_any_checkout() -> None:
    it = postponing("request")
    await checkout(it)
    assert (await checkout(it)).status == "confirmed"


async def test_the_recovery_leaves_it_pending_while_payments_is_away() -> None:
    it = postponing("request", "request")
    await checkout(it)
    it.clock.advance(seconds=2)
    (due,) = await use_cases.due_orders(it.deps, 10)
    with pytest.raises(StepPostponedError, match="ord_1 stays reserved"):
        await use_cases.recover(it.deps, due)
    assert it.orders.data.orders["ord_1"].status == "pending"


async def test_it_is_given_up_in_the_end() -> None:
    it = postponing("request")
    await checkout(it)
    it.clock.advance(seconds=120)
    await refused("payment-unavailable", checkout(it))
    assert it.available("p-1") == 10


async def test_it_can_be_cancelled_also_while_payments_is_away() -> None:
    it = postponing("request", "request")
    await checkout(it)
    assert (await use_cases.cancel_order(it.deps, ALICE, "ord_1")).status == "pending"
    assert (await use_cases.cancel_order(it.deps, ALICE, "ord_1")).status == "cancelled"
    assert it.available("p-1") == 10


async def test_inventory_is_not_payments() -> None:
    it = postponing()
    it.inventory_peer.wire.losses = ["request"]
    await refused("service-unavailable", checkout(it))


async def test_money_that_was_taken_is_followed_by_goods_whoever_is_away() -> None:
    it = postponing()

    async def lose_the_answer() -> None:
        it.payments_peer.wire.losses = ["answer"]

    it.payments_peer.wire.meanwhile[Step.CAPTURE] = lose_the_answer
    assert (await checkout(it)).state is OrderState.AUTHORIZED
    it.payments_peer.wire.meanwhile.clear()
    assert (await checkout(it)).status == "confirmed"
    assert it.provider.calls.count("capture") >= 1
    assert it.available("p-1") == 8
