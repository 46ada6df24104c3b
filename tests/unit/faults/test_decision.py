import random
from collections.abc import Mapping

import pytest

from services.chassis.faults import decision
from services.chassis.faults.decision import Request
from services.chassis.faults.kinds import Kind, Protocol
from services.chassis.faults.model import Baggage, Fault
from services.chassis.faults.parameters import GrpcError, Parameters
from services.chassis.faults.store import FaultStore
from tests.unit.faults.making import FakeClock, fault


def touching(*faults: Fault, draw: float = 0.5, **asked: object) -> list[str]:
    store = FaultStore(FakeClock())
    armed = [store.add(each) for each in faults]
    usual: Mapping[str, object] = {"service": "payments", "protocol": "grpc", "operation": "Authorize", "baggage": {}}
    request = Request(**{**usual, **asked})  # type: ignore[arg-type]  # the test gives what fits
    return [each.fault.fault_id for each in decision.touching(armed, request, lambda: draw)]


def test_a_fault_for_everyone_touches_everyone() -> None:
    assert touching(fault("a"), draw=0.999) == ["a"]


@pytest.mark.parametrize(
    "elsewhere", [{"service": "payments-db"}, {"protocol": Protocol.HTTP}, {"operation": "Capture"}]
)
def test_a_fault_of_something_else_touches_nobody(elsewhere: dict[str, object]) -> None:
    assert touching(fault("a", **elsewhere)) == []


def test_a_fault_of_one_operation_touches_that_one() -> None:
    assert touching(fault("a", operation="Authorize")) == ["a"]


@pytest.mark.parametrize(("draw", "hit"), [(0.0, True), (0.199, True), (0.2, False), (0.9, False)])
def test_a_share_is_touched_by_the_dice(draw: float, hit: bool) -> None:
    assert bool(touching(fault("a", probability=0.2), draw=draw)) is hit


def test_the_share_is_what_was_asked_for() -> None:
    store, dice = FaultStore(FakeClock()), random.Random(7)
    armed = [store.add(fault(probability=0.2))]
    request = Request("payments", "grpc", "Authorize", {})
    hits = sum(bool(decision.touching(armed, request, dice.random)) for _ in range(10_000))
    assert hits == pytest.approx(2_000, rel=0.1)


@pytest.mark.parametrize(
    ("carried", "hit"),
    [
        ({"faultline.who": "me"}, True),
        ({"faultline.who": "me", "other": "x"}, True),
        ({"faultline.who": "you"}, False),
        ({}, False),
    ],
)
def test_only_requests_with_the_baggage_are_touched(carried: dict[str, str], hit: bool) -> None:
    mine = fault("a", baggage=Baggage("faultline.who", "me"))
    assert bool(touching(mine, baggage=carried)) is hit


def test_what_waits_comes_before_what_answers_in_whatever_order_they_were_set() -> None:
    failing = fault("error", kind=Kind.ERROR, parameters=GrpcError())
    silent = fault("blackhole", kind=Kind.BLACKHOLE, parameters=Parameters())
    assert touching(failing, silent, fault("latency")) == ["latency", "blackhole", "error"]


def test_what_is_over_touches_nobody() -> None:
    clock = FakeClock()
    store = FaultStore(clock)
    armed = [store.add(fault(ttl_s=1.0))]
    clock.now = 1.0
    assert not decision.touching(armed, Request("payments", "grpc", "Authorize", {}), lambda: 0.0)
