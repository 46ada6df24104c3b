"""Processes are killed in the middle of checkouts, at every moment there is, while others buy, cancel and walk away."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Counts
from tests.e2e.checkout.crowd import Crowd
from tests.e2e.checkout.moments import MOMENTS, Moment, strike
from tests.e2e.checkout.scene import Scene, opened

A_FEW = MOMENTS[::5]  # of every kind one


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("databases", "replicas"), [("sqlite", {}), ("postgresql", {"orders": 2})], indirect=["databases"]
)
async def test_whatever_is_killed_money_goods_and_answers_agree(
    replicas: Mapping[str, int], databases: Mapping[str, str], tmp_path: Path, counts: Counts
) -> None:
    random = Random(11)
    moments = counts(1, 5) * [MOMENTS if counts.full else A_FEW]
    async with opened(tmp_path, databases, replicas=replicas, hasty=True) as scene:
        for each in moments:
            await play(scene, random.sample(each, len(each)), random)
        found = await scene.assert_sound_at_rest()
    assert scene.kills >= counts(len(A_FEW), 200)
    assert found["orders"].keys() == {"confirmed", "rejected", "cancelled"}
    assert found["payments"].keys() >= {"captured", "voided", "refunded", "declined"}


async def play(scene: Scene, moments: list[Moment], random: Random) -> None:
    """Kills at each moment while customers buy; when all is at rest, what is late arrives, and changes nothing."""
    async with Crowd(list(scene.customers.values()), random).buying():
        late = [await strike(scene, each, random) for each in moments]
    await scene.healed()
    before = await scene.assert_sound_at_rest()
    for call in filter(None, late):
        await scene.wire.deliver(call)
    assert await scene.assert_sound_at_rest() == before
