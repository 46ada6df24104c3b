from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from chaos.report.page import MEANINGS
from chaos.runs.verdict import Outcome
from deploy.demo import experiment
from deploy.demo.__main__ import _say_addresses, _say_failed
from deploy.demo.screen import Screen
from deploy.demo.settings import Demonstration
from deploy.errors import StartError
from deploy.supervisor.state import StateFolder
from deploy.system import System


def test_what_stays_up_says_how_to_try_it() -> None:
    shown = StringIO()
    system = SimpleNamespace(gateway_url="http://g", query_url="http://q", state=StateFolder(Path("/tmp/a state")))
    _say_addresses(Screen(Console(file=shown), 1), cast(System, system), "abc", 600)
    assert "/tmp/a state/client-keys.json" in shown.getvalue()
    assert "faultline status --state '/tmp/a state'" in shown.getvalue()


@pytest.mark.parametrize("outcome", Outcome)
def test_whatever_the_experiment_s_verdict_it_is_the_last_that_is_said(outcome: Outcome) -> None:
    shown = StringIO()
    experiment.conclude(outcome, Screen(Console(file=shown, width=160), 1))
    name = outcome.replace("_", " ").upper()
    assert shown.getvalue().strip() == f"The experiment's verdict: {name}. {MEANINGS[outcome]}"


def test_of_a_failed_start_only_the_log_that_stays_is_named() -> None:
    shown, demonstration = StringIO(), Demonstration()
    error = StartError("a-1", "it broke", Path("/gone/logs/a-1.jsonl"))
    _say_failed(Screen(Console(file=shown), 1), demonstration, error)
    assert "a-1 did not start: it broke" in shown.getvalue()
    assert "/gone" not in shown.getvalue()
    assert f"Logs: {demonstration.folder}/logs" in shown.getvalue()
    assert demonstration.folder.is_absolute()
