import threading

import pytest

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import Kind, Protocol
from services.chassis.faults.model import Fault
from services.chassis.faults.parameters import CpuBurn, MemoryHold, Parameters
from services.chassis.faults.store import CAPACITY, Armed, FaultStore
from tests.unit.faults.making import FakeClock, fault


def ids(store: FaultStore) -> list[str]:
    return [each.fault.fault_id for each in store.active()]


def test_is_falsy_until_a_fault_is_in_force_and_again_when_it_is_taken_back() -> None:
    store = FaultStore(FakeClock())
    assert not store
    store.add(fault("a"))
    assert store
    assert store.remove("a")
    assert not store


def test_a_fault_is_gone_when_its_time_is_over_though_nobody_takes_it_back() -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    store.add(fault("short", ttl_s=1.0))
    store.add(fault("long", ttl_s=60.0))
    clock.now = 0.999
    assert ids(store) == ["short", "long"]
    clock.now = 1.0
    assert ids(store) == ["long"]
    clock.now = 60.0
    assert ids(store) == []


def test_remaining_time_counts_down_to_zero() -> None:
    clock = FakeClock()
    armed = FaultStore(clock).add(fault(ttl_s=10.0))
    clock.now = 4.0
    assert (armed.remaining_s, armed.over) == (6.0, False)
    clock.now = 99.0
    assert (armed.remaining_s, armed.over) == (0.0, True)


def test_what_is_over_is_not_taken_back_a_second_time() -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    store.add(fault("a", ttl_s=1.0))
    clock.now = 2.0
    assert not store.remove("a")
    assert store.clear() == 0


def test_who_waits_for_the_end_hears_of_it_however_it_comes() -> None:
    clock, heard = FakeClock(), list[str]()
    store = FaultStore(clock)
    for name in ("removed", "cleared", "expired"):
        store.add(fault(name, ttl_s=1.0 if name == "expired" else 60.0)).on_end(lambda name=name: heard.append(name))  # type: ignore[misc]  # bound early
    store.remove("removed")
    clock.now = 1.0
    store.prune()
    assert heard == ["removed", "expired"]
    store.clear()
    assert heard == ["removed", "expired", "cleared"]


def test_who_comes_after_the_end_hears_at_once_and_who_went_away_does_not() -> None:
    store, heard = FaultStore(FakeClock()), list[str]()
    armed = store.add(fault("a"))
    gone, late = (lambda: heard.append("gone")), (lambda: heard.append("late"))
    armed.on_end(gone)
    armed.forget(gone)
    store.clear()
    armed.on_end(late)
    assert heard == ["late"]


def test_an_id_is_in_use_as_long_as_its_fault_is_in_force() -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    store.add(fault("a", ttl_s=1.0))
    with pytest.raises(FaultRefusedError, match="id: 'a' is in force already"):
        store.add(fault("a"))
    clock.now = 1.0
    store.add(fault("a"))
    assert ids(store) == ["a"]


def test_there_is_room_for_so_many_and_again_when_some_are_over() -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    for number in range(CAPACITY):
        store.add(fault(f"f-{number}", ttl_s=1.0))
    with pytest.raises(FaultRefusedError, match=f"{CAPACITY} faults are in force"):
        store.add(fault("one-more"))
    clock.now = 1.0
    store.add(fault("one-more"))
    assert ids(store) == ["one-more"]


def of_process(fault_id: str, kind: Kind, parameters: Parameters, ttl_s: float = 60.0) -> Fault:
    return fault(fault_id, protocol=Protocol.PROCESS, kind=kind, parameters=parameters, ttl_s=ttl_s)


@pytest.mark.parametrize(
    ("kind", "first", "second", "said"),
    [
        (Kind.MEMORY_HOLD, MemoryHold(1000), MemoryHold(25), "parameters.mib: 1000 of the process's 1024 MiB for memory-hold are in force: 25 more are too many"),
        (Kind.CPU_BURN, CpuBurn(0.75), CpuBurn(0.3), "parameters.share: 0.75 of the process's 1 cores for cpu-burn are in force: 0.3 more are too many"),
    ],
)  # fmt: skip
def test_all_of_a_kind_take_no_more_of_the_process_than_one_may(
    kind: Kind, first: Parameters, second: Parameters, said: str
) -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    store.add(of_process("first", kind, first, ttl_s=1.0))
    with pytest.raises(FaultRefusedError) as caught:
        store.add(of_process("second", kind, second))
    assert str(caught.value) == said
    assert ids(store) == ["first"]
    clock.now = 1.0
    store.add(of_process("second", kind, second))
    assert ids(store) == ["second"]


def test_what_adds_up_to_the_limit_is_taken_and_other_kinds_are_not_counted() -> None:
    store = FaultStore(FakeClock())
    for number in range(10):
        store.add(of_process(f"burn-{number}", Kind.CPU_BURN, CpuBurn(0.1)))
    for number in range(2):
        store.add(of_process(f"hold-{number}", Kind.MEMORY_HOLD, MemoryHold(512)))
        store.add(of_process(f"block-{number}", Kind.EVENT_LOOP_BLOCK, Parameters()))
    assert len(store.active()) == 14


def test_every_change_is_told_with_what_is_left() -> None:
    clock, told = FakeClock(), list[list[str]]()

    def changed(left: tuple[Armed, ...]) -> None:
        told.append([each.fault.fault_id for each in left])

    store = FaultStore(clock, changed)
    store.add(fault("a", ttl_s=1.0))
    store.add(fault("b"))
    clock.now = 1.0
    store.prune()
    store.prune()
    store.clear()
    assert told == [["a"], ["a", "b"], ["b"], []]


def test_many_threads_lose_nothing() -> None:
    store = FaultStore(FakeClock())
    threads = [threading.Thread(target=store.add, args=(fault(f"f-{number}"),)) for number in range(CAPACITY)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(store.active()) == CAPACITY
    assert store.clear() == CAPACITY
