import json
from pathlib import Path
from typing import Any

import pytest

from chaos.control import NotRunningError, Target, UnknownTargetError, WrongStateError
from chaos.control import target as targets
from deploy.supervisor.plan import Plan
from deploy.supervisor.state import Control, StateFolder
from deploy.topology import FAULTLINE

TOKEN = "a-token-that-is-no-secret"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a system with two payments, written as the supervisor writes it."""
    folder, plan = StateFolder(tmp_path), Plan(FAULTLINE, {"payments": 2})
    folder.create()
    topology = plan.describe(plan.fixed_ports(lambda: 31_000), "127.0.0.1", "http://127.0.0.1:8900")
    folder.announce(Control("http://127.0.0.1:8900", TOKEN, 1), topology)
    return tmp_path


@pytest.fixture
def target(state: Path) -> Target:
    return targets.read(state)


def test_a_supervisors_files_tell_where_everybody_is(target: Target) -> None:
    assert (target.supervisor_address, target.token) == ("http://127.0.0.1:8900", TOKEN)
    assert [each.name for each in target.processes("payments")] == ["payments-1", "payments-2"]
    assert target.hosts("orders")[0].control_address == "http://127.0.0.1:9181"
    assert target.databases == {"orders-db": "orders", "inventory-db": "inventory", "payments-db": "payments"}


def test_the_token_is_not_shown(target: Target) -> None:
    assert TOKEN not in repr(target)


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        ("payments", ["payments-1", "payments-2"]),
        ("payments-2", ["payments-2"]),
        ("payments-db", ["payments-1", "payments-2"]),
        ("gateway", ["gateway-1"]),
    ],
)
def test_faults_are_held_by_every_replica_and_a_databases_by_its_owner(
    target: Target, name: str, hosts: list[str]
) -> None:
    assert [each.name for each in target.hosts(name)] == hosts


def test_who_is_not_there_is_refused_with_who_is(target: Target) -> None:
    with pytest.raises(UnknownTargetError) as caught:
        target.hosts("users")
    assert str(caught.value) == (
        "there is no 'users'; there are payments, inventory, orders, gateway, payments-1, payments-2,"
        " orders-db, inventory-db, payments-db"
    )
    with pytest.raises(UnknownTargetError, match="there are faultline-backend, payments, "):
        target.processes("payments-db")


def test_a_process_without_a_control_listener_takes_no_faults(target: Target) -> None:
    assert target.processes("faultline-backend")
    with pytest.raises(UnknownTargetError):
        target.hosts("faultline-backend")


def test_a_folder_without_a_system_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="not running"):
        targets.read(tmp_path / "none")


@pytest.mark.parametrize("content", ["{", '{"address": "x"}', "[]", "5"])
def test_files_of_something_else_are_named(state: Path, content: str) -> None:
    (state / "control.json").write_text(content)
    with pytest.raises(WrongStateError, match=str(state)):
        targets.read(state)


def test_an_ipv6_host_is_written_as_an_address_needs_it(state: Path) -> None:
    topology: dict[str, Any] = json.loads((state / "topology.json").read_text())
    for each in topology["processes"]:
        each["host"] = "::1"
    (state / "topology.json").write_text(json.dumps(topology))
    assert targets.read(state).hosts("orders")[0].control_address == "http://[::1]:9181"
