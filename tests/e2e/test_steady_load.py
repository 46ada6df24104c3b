"""A system with load of its own and two replicas of a service: who serves, what survives, what is left."""

import os
from collections.abc import Iterator

import pytest

from deploy.system import System, start_system
from tests.e2e.metrics import samples
from tests.integration.supervisor.command import faultline
from tests.integration.supervisor.waiting import await_end, children_of
from tests.waiting import eventually

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("loaded")
    with start_system(folder, replicas={"inventory": 2}, load_rps=20) as started:
        yield started


def sent(system: System, *outcomes: str) -> float:
    """Requests that the load's process says it has sent, with these outcomes."""
    url = system.url("load-1", "ADMIN_PORT")
    found = samples(url, "faultline_load_requests_total")
    return sum(each.value for each in found if each.labels["faultline_load_outcome"] in outcomes)


def served(system: System, instance: str, method: str) -> float:
    """Calls of that method which this replica has served."""
    url = system.url(instance, "ADMIN_PORT")
    found = samples(
        url, "rpc_server_call_duration_seconds_count", rpc_method=f"faultline.inventory.v1.Inventory/{method}"
    )
    return sum(each.value for each in found)


def await_more(system: System, than: float) -> None:
    def check() -> None:
        assert sent(system, "success") > than

    eventually(check, PATIENCE_S)


@pytest.mark.parametrize("method", ["ListProducts", "GetProduct", "Reserve", "Confirm"])
def test_both_replicas_serve_in_turn(loaded: System, method: str) -> None:
    def check() -> None:
        calls = [served(loaded, instance, method) for instance in ("inventory-1", "inventory-2")]
        assert min(calls) >= 5
        assert max(calls) < 3 * min(calls), calls

    eventually(check, PATIENCE_S)


def test_load_is_a_process_like_the_others(loaded: System) -> None:
    shown = faultline(loaded.state.path, "status").stdout
    assert "\nload-1 " in shown
    assert loaded.supervisor.process("load-1")["state"] == "ready"
    await_more(loaded, sent(loaded, "success"))
    assert sent(loaded, "not_sent") == 0


def test_load_survives_the_restart_of_the_gateway(loaded: System) -> None:
    pid = loaded.supervisor.process("load-1")["pid"]
    loaded.supervisor.kill("gateway-1")

    def gone() -> None:
        assert sent(loaded, "unanswered", "failed") > 0

    eventually(gone, PATIENCE_S)
    await_more(loaded, sent(loaded, "success") + 10)
    assert loaded.supervisor.process("load-1")["pid"] == pid


def test_load_that_is_killed_comes_back(loaded: System) -> None:
    before = loaded.supervisor.process("load-1")["pid"]
    loaded.supervisor.kill("load-1")

    def back() -> None:
        found = loaded.supervisor.process("load-1")
        assert found["pid"] not in {None, before}
        assert found["state"] == "ready"

    eventually(back, PATIENCE_S)
    await_more(loaded, 30)
    messages = [each["record"]["message"] for each in loaded.supervisor.logs("load-1")]
    assert messages.count("load begins") == 2


def test_at_last_it_ends_with_the_system_and_everything_holds(loaded: System) -> None:
    """The last of the file, as it ends the system: another one beside it would be too much for a small machine."""
    children = children_of(loaded.supervisor_pid)
    await_more(loaded, sent(loaded, "success"))
    running = faultline(loaded.state.path, "verify")
    assert running.returncode == os.EX_OK, running.stdout
    loaded.stop()
    await_end(children)
    ended = faultline(loaded.state.path, "verify")
    assert ended.returncode == os.EX_OK, ended.stdout
