"""What the services' own use cases write is healthy in the checker's eyes, whatever was lost on the way."""

from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import update

from chaos.invariants import verify
from services.payments.repository import payments
from tests.conftest import Counts
from tests.integration.invariants.planting import Stores
from tests.integration.invariants.real_shop import checkouts, opened

YEAR_S = 365 * 24 * 3600.0


@pytest.mark.long
async def test_nothing_is_found_while_orders_are_pending_and_when_all_are_settled(
    stores: Stores, counts: Counts
) -> None:
    random = Random(4)
    wanted = checkouts(random, counts(25, 500))
    async with opened(stores) as shop:
        for each in wanted:
            shop.trouble(random)
            await shop.ask(each)
        midway = await verify(stores.urls, shop.told, now_us=shop.shop.clock(), max_pending_s=YEAR_S)
        shop.peace()
        for each in wanted:
            await shop.ask(each)
        report = await verify(stores.urls, shop.told, now_us=shop.shop.clock(), max_pending_s=0)
    assert not midway.violations
    assert not report.violations
    assert midway.counts["orders"]["pending"]
    assert report.counts["orders"].keys() == {"confirmed", "rejected"}
    assert len(shop.told) > sum(report.counts["orders"].values())


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
