"""`python -m chaos.invariants`, as it is typed."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import delete

from chaos.invariants import INVARIANTS
from services.payments.repository import payments
from tests.integration.invariants.planting import Stores, on_files
from tests.unit.invariants.stories import DECLINED, SOLD, left_behind

FINISHED = left_behind([SOLD, DECLINED])


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chaos.invariants", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
async def stores(tmp_path: Path) -> Stores:
    """Those of a finished run, in the state folder `tmp_path`."""
    (tmp_path / "data").mkdir()
    made = on_files(tmp_path / "data")
    await made.create()
    await made.fill(FINISHED)
    return made


@pytest.mark.usefixtures("stores")
def test_a_healthy_run_ends_with_0(tmp_path: Path) -> None:
    told = tmp_path / "told.jsonl"
    told.write_text("\n".join(json.dumps(asdict(each)) for each in FINISHED.acknowledged))
    done = run("--state", tmp_path, "--acknowledged", told)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Acknowledged: 2 (1 confirmed, 1 rejected)." in done.stdout
    assert f"All {len(INVARIANTS)} invariants hold." in done.stdout


async def test_a_damaged_run_ends_with_1_and_a_list(stores: Stores, tmp_path: Path) -> None:
    await stores.execute("payments", delete(payments).where(payments.c.order_id == SOLD.order_id))
    done = run("--state", tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "confirmed-order-is-charged-once" in done.stdout
    assert f"1 of {len(INVARIANTS)} invariants are broken; violations: 1." in done.stdout


def test_a_limit_that_is_no_number_is_refused(tmp_path: Path) -> None:
    done = run("--state", tmp_path, "--max-pending", "nan")
    assert done.returncode == 2
    assert "'nan' is not a finite number." in done.stderr


@pytest.mark.usefixtures("stores")
def test_json_is_a_document(tmp_path: Path) -> None:
    done = run("--state", tmp_path, "--json")
    assert json.loads(done.stdout)["ok"] is True


def test_databases_may_be_elsewhere(stores: Stores, tmp_path: Path) -> None:
    addresses = [f"--database={name}={url.render_as_string()}" for name, url in stores.urls.items()]
    assert run(*addresses).returncode == 0
    assert run("--state", tmp_path / "nowhere", *addresses).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), os.EX_NOINPUT, "no address for orders, inventory, payments"),
        (("--state", "nowhere"), os.EX_NOINPUT, "orders: there is no file nowhere"),
        (("--state", "nowhere", "--acknowledged", "none.jsonl"), os.EX_NOINPUT, "none.jsonl: No such file"),
        (("--database", "orders"), 2, "--database orders: must be NAME=URL"),
        (("--max-pending", "-1"), 2, "--max-pending"),
    ],
)
def test_what_cannot_be_checked_is_said(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
