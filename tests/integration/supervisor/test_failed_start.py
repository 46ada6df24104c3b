import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.supervisor.launch import LaunchError
from deploy.supervisor.state import StateFolder
from deploy.system import start_system
from tests.integration.supervisor.topologies import reference


def failure(state: Path, name: str, *, free_ports: bool = True, deadline_s: float = 30.0) -> LaunchError:
    with pytest.raises(LaunchError) as caught:
        start_system(state, free_ports, topology=reference(name), ready_deadline_s=deadline_s)
    assert not StateFolder(state).is_locked()
    return caught.value


def test_wrong_settings_end_the_start_at_once_with_the_process_own_words(state: Path) -> None:
    error = failure(state, "WRONG_SETTINGS")
    assert error.exit_code == os.EX_CONFIG
    assert str(error).startswith("wrong-1 did not start: wrong settings: HTTP_PORT: too big")


def test_a_port_lost_to_somebody_else_ends_the_start_at_once(state: Path) -> None:
    error = failure(state, "LOST_PORT")
    assert error.exit_code == os.EX_UNAVAILABLE
    assert str(error).startswith("lost-1 did not start: port 1 is taken")


def test_a_process_that_crashes_is_given_up_after_three_times(state: Path) -> None:
    error = failure(state, "CRASHING")
    assert error.exit_code == os.EX_SOFTWARE
    assert str(error) == f"crashing-1 did not start: it broke; its log: {StateFolder(state).log_file('crashing-1')}"
    assert StateFolder(state).log_file("crashing-1").read_text().count("it broke") == 3


def test_who_is_not_ready_in_time_is_named_with_the_reason(state: Path) -> None:
    error = failure(state, "NEVER_READY", deadline_s=5.0)
    assert "slow-1 did not start: not ready within 5 s: /readyz answers 503: patience: not yet" in str(error)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that this test listens on, and that the topology `FIXED` wants."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("TINY_FIXED_PORT", str(port))
        yield port


def test_a_taken_port_is_named_with_its_owner_before_anything_starts(state: Path, taken: int) -> None:
    error = failure(state, "FIXED", free_ports=False)
    assert error.exit_code == os.EX_UNAVAILABLE
    assert str(error).startswith(f"port {taken} (fixed-1 ADMIN_PORT) is taken by pid {os.getpid()} (")
    assert str(error).endswith("; end it, or use --free-ports")
    assert not StateFolder(state).log_file("fixed-1").exists()


def test_a_taken_control_port_is_named_too(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("TINY_CONTROL_PORT", str(port))
        monkeypatch.setenv("TINY_FIXED_PORT", str(_free_port()))
        error = failure(state, "FIXED", free_ports=False)
    assert str(error).startswith(f"port {port} (the supervisor's control API) is taken by pid {os.getpid()} (")


def test_an_unknown_topology_is_refused(state: Path) -> None:
    with pytest.raises(DeployError, match="has no attribute 'NOPE'"):
        start_system(state, topology="deploy.topology:NOPE")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeployError, match="file/state: Not a directory; choose another folder with --state"):
        start_system(tmp_path / "file" / "state", topology=reference("PAIR"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
