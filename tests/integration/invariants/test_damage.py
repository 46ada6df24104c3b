"""Each kind of damage, planted in real databases: it is found, clearly told, and nothing else is."""

import pytest

from chaos.invariants import INVARIANTS
from tests.integration.invariants.damages import DAMAGES
from tests.integration.invariants.damages.damage import Damage
from tests.integration.invariants.planting import Stores
from tests.unit.invariants.stories import ALL, left_behind

HEALTHY = left_behind(ALL)


async def test_nothing_is_found_in_the_example_run(stores: Stores) -> None:
    await stores.fill(HEALTHY)
    report = await stores.verify(HEALTHY)
    assert report.ok
    assert not report.moving
    assert report.counts["orders"] == {"cancelled": 2, "confirmed": 2, "pending": 1, "rejected": 2}
    assert all(each.looked_at for each in report.checked)


async def test_nothing_is_found_where_nothing_happened(stores: Stores) -> None:
    nothing = left_behind([])
    report = await stores.verify(nothing)
    assert report.ok
    assert not report.moving


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_damage_is_found_and_told(damage: Damage, stores: Stores) -> None:
    if damage.lawless:
        await stores.create(constraints=False)
    await stores.fill(HEALTHY)
    await stores.execute(damage.store, *damage.statements)
    report = await stores.verify(HEALTHY)
    assert {(each.invariant, each.subject, each.found) for each in report.violations} == damage.violations
    assert all(each.expected for each in report.violations)
    assert not report.ok


def test_every_invariant_is_seen_broken() -> None:
    broken = {invariant for each in DAMAGES.values() for invariant, _, _ in each.violations}
    assert broken == {each.name for each in INVARIANTS}
