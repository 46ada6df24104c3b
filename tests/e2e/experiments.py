"""The experiment that waits for its alert, as tests run it: patient with a machine that is busy with other tests."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.system import System
from tests.e2e.experimenting import environment, written

ATTEMPTS = 3
TOLD_AT_LAST = (
    ("within_s: 60\n", "within_s: 300\n"),
    ("within_s: 120\n", "within_s: 300\n"),
    ("outcome: bad\n        at_least: 0.75\n", "outcome: bad\n        at_least: 0.3\n"),
)
"""Changes an experiment that claims how soon an alert is told of: it is enough that it is, while it is waited for."""

ALERTED = "alert-on-failing-payments"
PAGED = {"somebody is paged": True, "that it is over is told": True}
LONG_WAITS = {"FAULTLINE_BEFORE_S": "1", "FAULTLINE_PAGE_PATIENCE_S": "150", "FAULTLINE_END_PATIENCE_S": "150"}
ONE_RUN_S = 460.0


def alerted(system: System, folder: Path, runs: int = 1) -> tuple[dict[str, Any], str]:
    """The record of runs that wait for their alert, and what was told.

    Others where it was not well before, or so busy that the alert began to fire by itself: then no fault can be told of.
    """
    command = [sys.executable, "-m", "deploy.cli", "chaos", "run", written(folder, ALERTED, *TOLD_AT_LAST)]
    for _ in range(ATTEMPTS):
        done = subprocess.run(
            [*command, "--runs", str(runs)], env=environment(system, LONG_WAITS), capture_output=True, text=True,
            timeout=runs * ONE_RUN_S, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1, 5), done.stderr
        newest = max(system.state.path.glob(f"chaos/{ALERTED}*/record.json"))
        record: dict[str, Any] = json.loads(newest.read_text())
        if all(PAGED.items() <= held(arm).items() for arm in record["arms"]):
            break
    return record, done.stdout


def held(arm: Mapping[str, Any]) -> dict[str, bool]:
    """Claim → whether it held."""
    return {each["name"]: each["holds"] for each in arm["found"].get("assertions") or ()}
