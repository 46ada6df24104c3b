"""A Prometheus that has no room for its data: said, counted, survived."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.programs.catalogue import PROGRAMS
from deploy.programs.finding import find
from deploy.supervisor.launch import LaunchError
from deploy.supervisor.state import StateFolder
from deploy.system import start_system
from deploy.topology import ALERTS
from observability import semconv
from tests.backends.programs import READY_WITHIN_S, need
from tests.e2e.http_api import Api
from tests.e2e.metrics import samples
from tests.integration.supervisor.command import faultline
from tests.integration.supervisor.topologies import reference
from tests.waiting import eventually

INSTANCE = "prometheus-1"
WITHIN_S = 180.0
CHECKS = semconv.ALERTS_PROMETHEUS_CHECKS.prometheus_name


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all programs that are not ours there is Prometheus alone."""
    need("prometheus")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "prometheus").symlink_to(find(PROGRAMS["prometheus"]) or "")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def without_storage(folder: Path) -> StateFolder:
    """A state folder in which a file is where Prometheus would make its own: not even root can."""
    state = StateFolder(folder)
    data = state.data / "prometheus"
    data.mkdir(parents=True)
    (data / "tsdb").touch()
    return state


@pytest.fixture
def up(tmp_path: Path, alone: None) -> Iterator[StateFolder]:
    """What `faultline up` made of it, in the background; ended afterwards."""
    del alone
    state = without_storage(tmp_path / "state")
    deadline = str(READY_WITHIN_S)
    done = faultline(state.path, "up", "--free-ports", "--detach", "--ready-deadline", deadline, at_most_s=WITHIN_S)
    (tmp_path / "said").write_text(done.stdout)
    yield state
    faultline(state.path, "down", at_most_s=WITHIN_S)
    assert (done.returncode, done.stderr) == (0, "")


def overview(alerts_url: str) -> dict[str, Any]:
    """What `faultline-alerts` tells."""
    answer = Api(alerts_url).get("/api/alerts")
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def stood_in_for(alerts_url: str, why: str) -> None:
    """Raises AssertionError until somebody else evaluates, and says why."""
    found = overview(alerts_url)
    assert found["evaluator"] == "embedded", found
    assert why in found["problem"]
    assert found["watchdog_heard_at"]


def by_itself(alerts_url: str) -> None:
    """Raises AssertionError until it evaluates, and nothing is wrong with it."""
    found = overview(alerts_url)
    assert found["evaluator"] == "prometheus", found
    assert "problem" not in found, found


def looked_in_vain(admin_url: str) -> float:
    labels = {semconv.prometheus_label(semconv.ALERTS_RESULT): semconv.SCRAPE_FAILED}
    (found,) = samples(admin_url, CHECKS, **labels)
    return found.value


def test_everything_else_runs_without_it(up: StateFolder, tmp_path: Path) -> None:
    said = (tmp_path / "said").read_text()
    assert f"! {INSTANCE} is given up (exit code" in said
    assert "tsdb" in said
    status = json.loads(faultline(up.path, "status", "--json").stdout)
    processes = {each["instance"]: each for each in status["processes"]}
    own = processes.pop(INSTANCE)
    assert (own["state"], own["restarts"]) == ("failed", 2)
    assert "tsdb" in own["detail"]
    assert {each["state"] for each in processes.values()} == {"ready"}
    assert Api(status["topology"]["gateway_url"]).get("/api/v1/products").status in (200, 401)


def test_its_objectives_are_evaluated_in_its_place(up: StateFolder) -> None:
    topology = json.loads(up.topology_file.read_text())
    (alerts,) = (each for each in topology["processes"] if each["service"] == ALERTS)
    http, admin = (f"http://{alerts['host']}:{alerts['listeners'][name]}" for name in ("HTTP_PORT", "ADMIN_PORT"))
    eventually(lambda: stood_in_for(http, "does not answer"), WITHIN_S)
    assert looked_in_vain(admin) > 0
    shown = faultline(up.path, "alerts").stdout
    assert "in Prometheus' place" in shown
    assert "does not answer" in shown


@pytest.mark.usefixtures("alone")
def test_where_it_is_required_the_start_ends_with_its_own_words(tmp_path: Path) -> None:
    state = without_storage(tmp_path / "state")
    with pytest.raises(LaunchError, match=rf"{INSTANCE} did not start: .*tsdb"):
        start_system(state.path, topology=reference("PAIR"), programs=("prometheus",), ready_deadline_s=READY_WITHIN_S)


def let_files_grow(pid: int, most: int) -> None:
    """What a process may write to one file, in bytes: a disk that is full, or has room again."""
    process = psutil.Process(pid)
    _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (most, hard))


def test_one_that_cannot_write_any_more_is_stood_in_for_until_it_can(tmp_path: Path) -> None:
    need("prometheus")
    if not hasattr(psutil.Process, "rlimit"):
        pytest.skip("a process's limits can be set by another one on Linux alone")
    with start_system(tmp_path / "state", programs=("prometheus",), ready_deadline_s=READY_WITHIN_S) as system:
        http, admin = (system.url(f"{ALERTS}-1", name) for name in ("HTTP_PORT", "ADMIN_PORT"))
        eventually(lambda: by_itself(http), WITHIN_S)
        before = looked_in_vain(admin)
        pid = system.supervisor.process(INSTANCE)["pid"]
        let_files_grow(pid, 1)
        eventually(lambda: stood_in_for(http, "takes nothing in: its newest sample is"), WITHIN_S)
        assert looked_in_vain(admin) > before
        found = system.supervisor.process(INSTANCE)
        assert (found["state"], found["pid"]) == ("ready", pid)
        let_files_grow(pid, psutil.RLIM_INFINITY)
        eventually(lambda: by_itself(http), WITHIN_S)
