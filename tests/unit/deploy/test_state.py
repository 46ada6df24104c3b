import os
import stat
from pathlib import Path

import pytest

from deploy.errors import AlreadyRunningError, StateError
from deploy.supervisor import keys, leftovers
from deploy.supervisor.state import Control, StateFolder, write_json

CONTROL = Control("http://127.0.0.1:8900", "secret", 123, 1.0)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    return folder


def test_a_lock_is_had_once(state: StateFolder) -> None:
    assert not state.is_locked()
    with state.locked():
        assert state.is_locked()
        state.announce(CONTROL, {})
        with (
            pytest.raises(AlreadyRunningError, match=r"already runs at http://127[.]0[.]0[.]1:8900") as caught,
            state.locked(),
        ):
            pass
        assert (caught.value.pid, caught.value.exit_code) == (123, 0)
    assert not state.is_locked()


def test_switched_policies_are_forgotten(state: StateFolder) -> None:
    state.forget_policies()
    kept = [state.policies_file(each) for each in ("orders-1", "orders-2")]
    for each in kept:
        each.write_text("{}")
    state.forget_policies()
    assert list(state.policies.iterdir()) == []


def test_looking_at_a_lock_makes_nothing(tmp_path: Path) -> None:
    assert not StateFolder(tmp_path / "none").is_locked()
    assert not (tmp_path / "none").exists()


def test_what_is_announced_is_read_and_withdrawn(state: StateFolder) -> None:
    state.announce(CONTROL, {"gateway_url": "x"})
    assert state.control() == CONTROL
    assert stat.S_IMODE(state.control_file.stat().st_mode) == 0o600
    state.withdraw()
    assert state.control() is None
    assert not state.topology_file.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"address": 1, "secret": 2}'])
def test_a_damaged_file_is_named(state: StateFolder, content: str) -> None:
    state.control_file.write_text(content)
    with pytest.raises(StateError, match=r"control\.json: .*; delete it"):
        state.control()


def test_keys_are_made_once_and_given_to_the_gateway_as_hashes(state: StateFolder) -> None:
    made = keys.ensure(state)
    assert keys.ensure(state) == made == keys.read(state)
    assert len(keys.of_client(made, "load")) == 20
    assert len({each.key for each in made}) == 22
    assert len({each.user_id for each in made}) == 22
    [chaos] = keys.of_client(made, "chaos")
    assert {"faults:inject", "traces:continue"} <= set(chaos.scopes)
    assert all(each.key.startswith("flk_") for each in made)
    assert stat.S_IMODE(state.client_keys_file.stat().st_mode) == 0o600
    told = state.api_keys_file.read_text()
    assert made[0].sha256 in told
    assert "flk_" not in told


def test_a_damaged_file_of_keys_is_named(state: StateFolder) -> None:
    state.client_keys_file.write_text('[{"key": "flk_x"}]')
    with pytest.raises(StateError, match="not a file of keys; delete it"):
        keys.ensure(state)


def test_a_file_is_replaced_as_a_whole_and_never_readable_by_others(state: StateFolder) -> None:
    file = state.path / "x.json"
    file.write_text("old")
    file.chmod(0o644)
    write_json(file, {"new": 1})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in state.path.iterdir() if each.name.endswith(str(os.getpid()))] == []


def test_a_stranger_with_the_same_pid_is_no_leftover(state: StateFolder) -> None:
    leftovers.record(state, [os.getpid()])
    assert leftovers.find(state) == [os.getpid()]
    born = leftovers.born(os.getpid())
    assert born is not None
    write_json(state.children_file, [{"pid": os.getpid(), "born": born - 100}])
    assert leftovers.find(state) == []
    assert leftovers.end(state, 1) == 0


def test_nobody_is_left_where_nothing_ran(tmp_path: Path) -> None:
    assert leftovers.end(StateFolder(tmp_path / "none"), 1) == 0
