"""Experiments as tests run them: patient with a machine that is busy with other tests."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.runs import catalogue
from deploy.system import System
from tests.conftest import CHECKOUT

ATTEMPTS = 3
"""A run on a system that is not well before the fault is rightly refused, and gets another chance."""

PATIENT = (
    ("burn_rate: 40", "burn_rate: 1000"),
    ("range: [0.99", "range: [0.0"),
    ("FAULTLINE_RPS, default: 8", "FAULTLINE_RPS, default: 4"),
    ("func: processes_not_ready}", "func: processes_not_ready, arguments: {within_s: 60}}"),
)
"""What makes an experiment patient with a machine that is busy with other tests."""


def environment(system: System, phases: Mapping[str, str]) -> dict[str, str]:
    state = str(system.state.path)
    return {**os.environ, "FAULTLINE_STATE_DIR": state, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "120", **phases}


def chaos(
    system: System, *arguments: str, phases: Mapping[str, str], at_most_s: float = 200
) -> subprocess.CompletedProcess[str]:
    """`faultline chaos …`, to its end."""
    command = [sys.executable, "-m", "deploy.cli", "chaos", *arguments]
    return subprocess.run(
        command, env=environment(system, phases), capture_output=True, text=True, timeout=at_most_s, check=False
    )


def written(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    """A patient experiment with these changes, in a file."""
    text = catalogue.file_of(name).read_text()
    for old, new in (*PATIENT, *changes):
        assert old in text, old
        text = text.replace(old, new)
    file = folder / f"{name}-changed.yaml"
    file.write_text(text)
    return str(file)


TOLD_AT_LAST = (
    ("within_s: 60\n", "within_s: 300\n"),
    ("within_s: 120\n", "within_s: 300\n"),
    ("outcome: bad\n        at_least: 0.75\n", "outcome: bad\n        at_least: 0.3\n"),
)
"""Changes an experiment that claims how soon an alert is told of: it is enough that it is, while it is waited for."""

ALERTED = "alert-on-failing-payments"
PAGED = {"somebody is paged": True, "that it is over is told": True}
LONG_WAITS = {"FAULTLINE_BEFORE_S": "1", "FAULTLINE_PAGE_PATIENCE_S": "150", "FAULTLINE_END_PATIENCE_S": "150"}


def alerted(system: System, folder: Path, runs: int = 1) -> tuple[dict[str, Any], str]:
    """The record of runs that wait for their alert, and what was told.

    Others where it was not well before, or so busy that the alert began to fire by itself: then no fault can be told of.
    """
    file = written(folder, ALERTED, *TOLD_AT_LAST)
    for _ in range(ATTEMPTS):
        done = chaos(system, "run", file, "--runs", str(runs), phases=LONG_WAITS, at_most_s=runs * 460)
        assert done.returncode in (0, 1, 5), done.stderr
        newest = max(system.state.path.glob(f"chaos/{ALERTED}*/record.json"))
        record: dict[str, Any] = json.loads(newest.read_text())
        if all(PAGED.items() <= held(arm).items() for arm in record["arms"]):
            break
    return record, done.stdout


def held(arm: Mapping[str, Any]) -> dict[str, bool]:
    """Claim → whether it held."""
    return {each["name"]: each["holds"] for each in arm["found"].get("assertions") or ()}
