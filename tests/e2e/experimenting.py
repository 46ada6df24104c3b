"""Running experiments on a running system, patiently, and looking at what they leave."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.control import HttpFaultControl, PlacedFault
from chaos.measure.site import site_of
from chaos.runs import catalogue
from chaos.runs.declared import DEVIATES
from chaos.runs.verdict import Outcome
from chaos.toolkit.policies import Policies
from deploy.system import System
from tests.conftest import CHECKOUT
from tests.waiting import eventually

SHORT = {"FAULTLINE_BEFORE_S": "1", "FAULTLINE_FAULT_S": "4", "FAULTLINE_AFTER_S": "4"}
SHORTEST = {"FAULTLINE_BEFORE_S": "1", "FAULTLINE_FAULT_S": "3", "FAULTLINE_AFTER_S": "1"}
RARE = SHORTEST | {"FAULTLINE_FAULT_S": "20", "FAULTLINE_RPS": "8"}
"""For a fault that meets a tenth of some forty calls in ten seconds: so that it is seen."""
ENDLESS = {"FAULTLINE_BEFORE_S": "0", "FAULTLINE_FAULT_S": "55"}
PATIENCE_S = 60.0
ATTEMPTS = 3

KILLED_TTL_S = 10
KILLING = "  - type: action\n    name: kill payments\n"
SLOWING = f"""\
  - type: action
    name: slow inventory down
    provider:
      type: python
      module: chaos.toolkit.actions
      func: inject
      arguments: {{experiment: killed, service: inventory, kind: latency, parameters: {{ms: 1}}, ttl_s: {KILLED_TTL_S}}}
"""
TWO_FAULTS = ((KILLING, SLOWING + KILLING), ("ttl_s: 60", f"ttl_s: {KILLED_TTL_S}"))
"""One inside of requests, and a process that is held down."""


def environment(system: System, phases: Mapping[str, str]) -> dict[str, str]:
    state = str(system.state.path)
    return {**os.environ, "FAULTLINE_STATE_DIR": state, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "120", **phases}


def faultline(system: System, *arguments: str, phases: Mapping[str, str] = SHORT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "chaos", *arguments]
    return subprocess.run(
        command, env=environment(system, phases), capture_output=True, text=True, timeout=200, check=False
    )


def records(system: System) -> list[Path]:
    return sorted(system.state.path.glob("chaos/*/record.json"))


def policies(system: System) -> dict[str, Any]:
    return Policies(site_of(system.state.path)).in_force()


def payments_serve(system: System) -> None:
    found = system.supervisor.process("payments-1")
    assert found["state"] == "ready", found


PATIENT = (
    ("burn_rate: 40", "burn_rate: 1000"),
    ("range: [0.99", "range: [0.0"),
    ("FAULTLINE_RPS, default: 8", "FAULTLINE_RPS, default: 4"),
    ("func: processes_not_ready}", "func: processes_not_ready, arguments: {within_s: 60}}"),
)
"""What makes an experiment patient with a machine that is busy with other tests."""


def written(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    """A patient experiment with these changes, in a file."""
    text = catalogue.file_of(name).read_text()
    for old, new in (*PATIENT, *changes):
        assert old in text, old
        text = text.replace(old, new)
    file = folder / f"{name}-changed.yaml"
    file.write_text(text)
    return str(file)


def policy_list(system: System) -> str:
    command = [sys.executable, "-m", "deploy.cli", "policy", "list"]
    done = subprocess.run(command, env=environment(system, {}), capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def faults_in_force(system: System) -> Sequence[PlacedFault]:
    return HttpFaultControl(site_of(system.state.path).target).in_force().faults


def is_healed(system: System) -> None:
    """Raises AssertionError while it is not."""
    payments_serve(system)
    assert not faults_in_force(system)


def judged(assertions: Sequence[Mapping[str, Any]]) -> set[str]:
    return {each["name"] for each in assertions if each["said"]}


def claimed(name: str) -> set[str]:
    return {each["name"] for each in catalogue.load(name).document["method"] if each["type"] == "probe"}


def compared() -> list[str]:
    """The experiments that show what policies are good for."""
    return [each.name for each in catalogue.load_all() if each.declared.arm("off").expected == DEVIATES]


def off_and_full(own_system: System, name: str) -> dict[str, Any] | None:
    """The record of a run that passed, else of the last that says something; None where the machine was always too busy."""
    said = None
    for _ in range(ATTEMPTS):
        record = _compare(own_system, name)
        tried = all(each["found"].get("effects") for each in record["arms"])  # else it was not well before the fault
        if tried and record["verdict"]["outcome"] != Outcome.INCONCLUSIVE:
            said = record
        if said and said["verdict"]["outcome"] == Outcome.PASSED:
            break
    return said


def _compare(own_system: System, name: str) -> dict[str, Any]:
    """The experiment as it is."""
    eventually(lambda: payments_serve(own_system), within=PATIENCE_S)
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "chaos", "run", name, "--policy", "off", "--policy", "full", "--json"],
        env=environment(own_system, {}), capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    record: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == record["verdict"]["exit_code"], done.stderr
    return record
