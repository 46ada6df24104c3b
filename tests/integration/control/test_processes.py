"""Whole processes, through the control API of a real supervisor."""

from collections.abc import Iterator

import pytest

from chaos.control import HttpProcessControl, ProcessControl, RefusedError, UnknownTargetError
from chaos.control import target as targets
from deploy.system import System, start_system
from tests.integration.supervisor.topologies import reference
from tests.integration.supervisor.waiting import until

LONG_S = 500.0
SHORT_S = 1.0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two of `front` and one `back`; the tests of this module leave all of them well."""
    folder = tmp_path_factory.mktemp("processes")
    with start_system(folder, topology=reference("PAIR"), replicas={"front": 2}, ready_deadline_s=30) as started:
        yield started


@pytest.fixture
def control(system: System) -> ProcessControl:
    return HttpProcessControl(targets.read(system.state.path))


def state_of(control: ProcessControl, instance: str) -> str:
    return next(each.state for each in control.states() if each.instance == instance)


def well(control: ProcessControl) -> None:
    until(lambda: {each.state for each in control.states()} == {"ready"})


def test_all_replicas_are_killed_and_held_down_until_they_are_healed(control: ProcessControl) -> None:
    before = {each.instance: each.pid for each in control.states()}
    killed = control.kill("front", LONG_S)
    assert {each.instance: each.pid for each in killed} == {name: before[name] for name in ("front-1", "front-2")}
    until(lambda: state_of(control, "front-1") == state_of(control, "front-2") == "waiting")
    assert state_of(control, "back-1") == "ready"
    assert {each.instance for each in control.heal()} == {"front-1", "front-2"}
    well(control)


def test_a_killed_process_comes_back_at_its_time(control: ProcessControl) -> None:
    (killed,) = control.kill("back", SHORT_S)
    until(lambda: killed.pid not in {each.pid for each in control.states()})
    well(control)


def test_a_paused_process_is_resumed_when_it_is_healed_and_at_its_time(control: ProcessControl) -> None:
    control.pause("front-2", LONG_S)
    assert (state_of(control, "front-1"), state_of(control, "front-2")) == ("ready", "paused")
    assert [each.instance for each in control.heal()] == ["front-2"]
    well(control)
    control.pause("front-2", SHORT_S)
    well(control)


def test_a_paused_process_is_resumed_by_name(control: ProcessControl) -> None:
    control.pause("back", LONG_S)
    control.resume("back-1")
    well(control)


def test_a_restarted_process_is_another(control: ProcessControl) -> None:
    (before,) = control.restart("back")
    until(lambda: before.pid not in {each.pid for each in control.states()})
    well(control)


def test_where_all_is_well_nobody_is_healed(control: ProcessControl) -> None:
    well(control)
    assert control.heal() == []


def test_what_cannot_be_is_refused(control: ProcessControl) -> None:
    with pytest.raises(UnknownTargetError, match="there is no 'side'; there are back, front, front-1, front-2"):
        control.kill("side", 1)
    with pytest.raises(RefusedError, match=r"ttl_s: 10000\.0 is not within"):
        control.pause("back", 10_000.0)
    with pytest.raises(RefusedError) as caught:
        control.resume("back")
    assert caught.value.status == 409
    well(control)
