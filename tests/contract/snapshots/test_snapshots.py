"""The contracts are as they were kept; what to do when they are not, they say themselves."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.snapshots.__main__ import main
from tests.contract.snapshots.contracts import CONTRACTS, KEPT, Contract
from tests.contract.snapshots.openapi_changes import openapi_changes
from tests.contract.snapshots.verdict import complaint

API = CONTRACTS[0]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: each.file.stem)
def test_the_contract_is_as_it_was_kept(contract: Contract) -> None:
    told = complaint(contract)
    assert not told, told


def test_nothing_is_kept_that_no_contract_is_compared_with() -> None:
    assert set(KEPT.iterdir()) == {each.file for each in CONTRACTS}


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[Any], object]], Contract]:
    """Makes a contract that was kept as the public API is, and has the change now."""
    before = API.kept()

    def make(change: Callable[[Any], object]) -> Contract:
        after = copy.deepcopy(before)
        change(after)
        file = tmp_path / "openapi.v1.json"
        file.write_bytes(API.file.read_bytes())
        return Contract("the public API", file, lambda: after, openapi_changes)

    return make


Made = Callable[[Callable[[Any], object]], Contract]


def breaking(document: Any) -> None:
    del document["components"]["schemas"]["Order"]["properties"]["total"]


def compatible(document: Any) -> None:
    document["components"]["schemas"]["Order"]["properties"]["note"] = {"type": "string"}


def test_a_breaking_change_names_contract_place_and_whom_it_breaks(changed: Made) -> None:
    told = complaint(changed(breaking))
    assert told.startswith("the public API (openapi.v1.json) has ")
    assert "GET /api/v1/orders/{order_id} 200.total: the field is gone; breaks clients that read it" in told
    assert "GET /api/v1/orders 200.items[].total: the field is gone" in told


def test_a_breaking_change_is_not_kept_by_accident(changed: Made, capsys: pytest.CaptureFixture[str]) -> None:
    contract = changed(breaking)
    assert main([], [contract]) == 1
    assert "200.total: the field is gone" in capsys.readouterr().err
    assert contract.kept() == API.kept()
    assert main(["--break"], [contract]) == 0
    assert complaint(contract) == ""


def test_a_compatible_change_asks_to_be_kept(changed: Made, capsys: pytest.CaptureFixture[str]) -> None:
    contract = changed(compatible)
    assert complaint(contract) == (
        "the public API has changed, and nobody is broken by it: run `make snapshots` and commit the result."
    )
    assert main([], [contract]) == 0
    assert "openapi.v1.json is kept" in capsys.readouterr().out
    assert complaint(contract) == ""


def test_a_contract_that_is_new_is_to_be_kept(changed: Made) -> None:
    contract = changed(compatible)
    contract.file.unlink()
    assert "make snapshots" in complaint(contract)
    assert main([], [contract]) == 0
    assert complaint(contract) == ""
