"""What the services' own use cases write is healthy in the checker's eyes, whatever was lost on the way."""

from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import update

from chaos.invariants import verify
from services.payments.repository import payments
from tests.conftest import Counts
from tests.integration.invariants.planting import Stores
from tests.integration.invariants.real_shop import RealShop, checkouts, opened

YEAR_S = 365 * 24 * 3600.0


@pytest.mark.long
async def test_nothing_is_found_while_orders_are_pending_and_when_all_are_settled(
    stores: Stores, counts: Counts
) -> None:
    random = Random(4)
    wanted = checkouts(random, counts(25, 300))
    pending = 0
    async with opened(stores) as shop:
        for each in wanted:
            shop.trouble(random)
            await shop.ask(each)
            await do_something_else(shop, random)
            if random.random() < 5 / len(wanted):
                midway = await verify(stores.urls, shop.told, now_us=shop.shop.clock(), max_pending_s=YEAR_S)
                assert not midway.violations
                pending += midway.counts["orders"].get("pending", 0)
        shop.peace()
        while await shop.look_after():
            shop.shop.clock.advance(seconds=10)
        for each in wanted:
            await shop.ask(each)
        report = await verify(stores.urls, shop.told, now_us=shop.shop.clock(), max_pending_s=0)
    assert not report.violations
    assert pending
    assert report.counts["orders"].keys() == {"confirmed", "rejected", "cancelled"}
    assert len(shop.told) > sum(report.counts["orders"].values())


async def do_something_else(shop: RealShop, random: Random) -> None:
    """Somebody cancels an order, or the services look after theirs, or neither."""
    match random.choice(("cancel", "look after", "nothing")):
        case "cancel" if shop.told:
            await shop.cancel(random.choice(shop.told[-5:]))
        case "look after":
            await shop.look_after()


async def test_what_the_services_did_not_do_is_found(stores: Stores) -> None:
    """So that the test above is not content with anything."""
    random = Random(4)
    async with opened(stores) as shop:
        for each in checkouts(random, 5):
            await shop.ask(each)
        await stores.execute("payments", update(payments).values(state="captured"))
        told = [replace(each, order_id=f"{each.order_id}-lost") for each in shop.told]
        report = await verify(stores.urls, told, now_us=shop.shop.clock(), max_pending_s=YEAR_S)
    broken = {each.invariant for each in report.violations}
    assert broken == {
        "acknowledged-order-exists",
        "acknowledged-key-is-one-order",
        "unsold-order-is-not-charged",
    }
