"""Nothing is found in databases where nothing is wrong, whatever happened."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings

from chaos.invariants import Report
from chaos.invariants.evidence import Evidence
from tests.conftest import Counts
from tests.integration.invariants.planting import on_files
from tests.unit.invariants.histories import healthy


@pytest.mark.long
def test_nothing_is_found_in_any_healthy_history(tmp_path_factory: pytest.TempPathFactory, counts: Counts) -> None:
    @settings(max_examples=counts(10, 200), deadline=None)  # a disk is as slow as it is
    @given(healthy())
    def check(evidence: Evidence) -> None:
        report = asyncio.run(_stored(tmp_path_factory.mktemp("stores"), evidence))
        assert not report.violations

    check()


async def _stored(folder: Path, evidence: Evidence) -> Report:
    stores = on_files(folder)
    await stores.create()
    await stores.fill(evidence)
    return await stores.verify(evidence)
