import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import ControlError
from deploy.system import System
from tests.integration.supervisor.conftest import Start
from tests.integration.supervisor.waiting import until


def restarted(system: System, instance: str, old_pid: int) -> dict[str, Any] | None:
    found = system.supervisor.process(instance)
    return found if found["state"] == "ready" and found["pid"] != old_pid else None


def test_a_killed_process_is_started_again(pair: System) -> None:
    before = pair.supervisor.process("back-1")
    os.kill(before["pid"], signal.SIGKILL)
    after = until(lambda: restarted(pair, "back-1", before["pid"]))
    assert after["restarts"] == 1
    assert after["last_exit"] == "SIGKILL"
    assert after["ports"] == before["ports"]
    assert pair.supervisor.process("front-1")["restarts"] == 0


def test_a_process_killed_over_the_api_is_held_down_for_its_ttl(pair: System) -> None:
    before = pair.supervisor.process("back-1")
    began = time.monotonic()
    assert pair.supervisor.kill("back-1", ttl_s=1.0)["pid"] == before["pid"]
    until(lambda: pair.supervisor.process("back-1")["state"] == "waiting")
    with pytest.raises(ControlError, match="back-1 is waiting: no kill"):
        pair.supervisor.kill("back-1")
    until(lambda: restarted(pair, "back-1", before["pid"]))
    assert time.monotonic() - began >= 1.0


def test_a_hold_ends_early_when_a_restart_is_asked_for(pair: System) -> None:
    before = pair.supervisor.process("back-1")
    pair.supervisor.kill("back-1", ttl_s=600.0)
    until(lambda: pair.supervisor.process("back-1")["state"] == "waiting")
    pair.supervisor.restart("back-1")
    until(lambda: restarted(pair, "back-1", before["pid"]))


def test_restart_lets_the_process_drain(pair: System) -> None:
    before = pair.supervisor.process("front-1")
    pair.supervisor.restart("front-1")
    until(lambda: restarted(pair, "front-1", before["pid"]))
    said = [line["record"] for line in pair.supervisor.logs("front-1")]
    assert [(line["message"], line["pid"]) for line in said][:2] == [
        ("serving", before["pid"]),
        ("drained", before["pid"]),
    ]


def test_a_start_that_fails_once_is_tried_again(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_FAIL_ONCE_IN", str(tmp_path / "failed"))
    system = start("HEALING")
    found = system.supervisor.process("healing-1")
    assert (found["state"], found["restarts"], found["last_exit"]) == ("ready", 1, "exit code 1")
    said = [line["record"]["message"] for line in system.supervisor.logs("healing-1")]
    assert "RuntimeError: the first start goes wrong" in said


def test_a_paused_process_is_resumed_at_its_ttl(pair: System) -> None:
    pair.supervisor.pause("back-1", ttl_s=0.5)
    found = pair.supervisor.process("back-1")
    assert (found["state"], found["detail"]) == ("paused", "paused for 0.5 s")
    assert until(lambda: pair.supervisor.process("back-1")["state"] == "ready")
    assert pair.supervisor.process("back-1")["pid"] == found["pid"]


def test_a_paused_process_is_resumed_when_asked_to(pair: System) -> None:
    pair.supervisor.pause("back-1", ttl_s=600.0)
    pair.supervisor.resume("back-1")
    until(lambda: pair.supervisor.process("back-1")["state"] == "ready")
    with pytest.raises(ControlError, match="back-1 is ready: no resume"):
        pair.supervisor.resume("back-1")


def test_what_a_former_run_s_policies_were_switched_to_is_forgotten(start: Start, state: Path) -> None:
    kept = state / "policies" / "back-1.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    start("PAIR")
    assert not kept.exists()
