import json
import math
from typing import Any

import pytest

from services.chassis.faults import document
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import MATRIX, MAX_TTL_S, Kind, Protocol, kinds_of
from services.chassis.faults.model import Fault
from services.chassis.faults.parameters import Fixed, Uniform
from services.chassis.faults.points import Point
from services.chassis.faults.store import FaultStore
from tests.unit.faults.making import FakeClock

POINTS = [
    Point("payments", Protocol.PROCESS),
    Point("payments", Protocol.GRPC, lambda: ["Authorize", "Capture"]),
    Point("payments-db", Protocol.SQL, lambda: ["authorize"]),
]
EVERY_PROTOCOL = [Point(each, each, lambda: ["op"]) for each in Protocol]

LATENCY = {"kind": "latency", "parameters": {"ms": 500}, "ttl_s": 60}
REQUIRED: dict[Kind, dict[str, Any]] = {
    Kind.LATENCY: {"ms": 1},
    Kind.SLOW_BODY: {"ms": 1},
    Kind.MEMORY_HOLD: {"mib": 1},
}

# The matrix, written a second time: who changes it changes a promise.
PROMISED = {
    "latency": {"http", "grpc", "sql"},
    "blackhole": {"http", "grpc", "sql"},
    "error": {"http", "grpc", "sql"},
    "slow-body": {"http"},
    "malformed-body": {"http"},
    "event-loop-block": {"process"},
    "cpu-burn": {"process"},
    "memory-hold": {"process"},
}


def read(**members: Any) -> Fault:
    return document.read({**LATENCY, **members}, POINTS, "payments")


def refusal(**members: Any) -> str:
    with pytest.raises(FaultRefusedError) as caught:
        read(**members)
    return str(caught.value)


def test_the_matrix_is_the_promised_one() -> None:
    assert {kind: set(row) for kind, row in MATRIX.items()} == PROMISED
    assert set(MATRIX) == set(Kind)


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_taken_by_the_protocols_that_have_it_and_refused_by_the_others(
    kind: Kind, protocol: Protocol
) -> None:
    asked = {"kind": kind, "service": protocol, "parameters": REQUIRED.get(kind, {}), "ttl_s": 1}
    if protocol in PROMISED[kind]:
        found = document.read(asked, EVERY_PROTOCOL, "")
        assert (found.kind, found.protocol) == (kind, protocol)
        return
    with pytest.raises(FaultRefusedError) as caught:
        document.read(asked, EVERY_PROTOCOL, "")
    assert str(caught.value).startswith(f"kind: {protocol} ({protocol}) has no {kind}; it has ")
    assert str(caught.value).endswith(", ".join(kinds_of(protocol)))


def test_what_is_not_said_is_the_usual() -> None:
    found = read()
    assert (found.service, found.operation, found.experiment) == ("payments", None, "manual")
    assert (found.probability, found.baggage, found.parameters) == (1.0, None, Fixed(500))
    assert found.fault_id != read().fault_id


def test_a_distribution_has_its_own_parameters() -> None:
    assert read(parameters={"distribution": "uniform", "low_ms": 1, "high_ms": 2}).parameters == Uniform(1, 2)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"kind": "latenzy"}, "kind: there is no 'latenzy'; there are latency, blackhole, error, slow-body, malformed-body, event-loop-block, cpu-burn, memory-hold"),
        ({"kind": None}, "kind: must be given"),
        ({"kind": ["latency"]}, "kind: there is no ['latency']; there are latency, "),
        ({"kind": "slow-body", "parameters": {"ms": 1}}, "kind: payments (process/grpc) has no slow-body; it has latency, blackhole, error, event-loop-block, cpu-burn, memory-hold"),
        ({"service": "orders"}, "service: there is no 'orders'; there are payments, payments-db"),
        ({"operation": "Refuse"}, "operation: there is no 'Refuse'; there are Authorize, Capture"),
        ({"operation": "Authorize", "service": "payments-db"}, "operation: there is no 'Authorize'; there are authorize"),
        ({"ttl_s": None}, "ttl_s: must be given"),
        ({"ttl_s": 0}, "ttl_s: must be from 0.001 to 600 s, not 0"),
        ({"ttl_s": -1}, "ttl_s: must be from 0.001 to 600 s, not -1"),
        ({"ttl_s": MAX_TTL_S + 1}, "ttl_s: must be from 0.001 to 600 s, not 601"),
        ({"ttl_s": math.inf}, "ttl_s: must be from 0.001 to 600 s, not inf"),
        ({"ttl_s": math.nan}, "ttl_s: must be from 0.001 to 600 s, not nan"),
        ({"ttl_s": 10**400}, "ttl_s: must be from 0.001 to 600 s, not 1.00e+400"),
        ({"ttl_s": -(10**400)}, "ttl_s: must be from 0.001 to 600 s, not -1.00e+400"),
        ({"ttl_s": "60"}, "ttl_s: must be a number from 0.001 to 600 s"),
        ({"ttl_s": True}, "ttl_s: must be a number from 0.001 to 600 s"),
        ({"kind": "event-loop-block", "parameters": {}, "ttl_s": 61}, "ttl_s: must be from 0.001 to 60 s, not 61"),
        ({"probability": 2.0}, "probability: must be from 0 to 1, not 2"),
        ({"probability": 0}, "probability: must be above 0, up to 1: at 0 it would touch nobody"),
        ({"probability": None}, "probability: must be a number from 0 to 1"),
        ({"parameters": {}}, "parameters.ms: must be given"),
        ({"parameters": {"ms": -1}}, "parameters.ms: must be from 0 to 600000 ms, not -1"),
        ({"parameters": {"ms": 1, "status": 503}}, "parameters: there is no 'status'; there are ms"),
        ({"parameters": {"distribution": "cauchy"}}, "parameters.distribution: there is no 'cauchy'; there are fixed, uniform, normal, pareto"),
        ({"parameters": {"distribution": "uniform", "low_ms": 2, "high_ms": 1}}, "parameters.low_ms: must be at most high_ms, 1"),
        ({"parameters": {"distribution": "pareto", "min_ms": 2, "shape": 0}}, "parameters.shape: must be from 0.1 to 100, not 0"),
        ({"parameters": 5}, "parameters: must be a JSON object"),
        ({"kind": "memory-hold", "parameters": {"mib": 1.5}}, "parameters.mib: must be a whole number"),
        ({"kind": "memory-hold", "parameters": {"mib": 10**400}}, "parameters.mib: must be from 1 to 1024, not 1.00e+400"),
        ({"kind": "memory-hold", "parameters": {"mib": 10**6}}, "parameters.mib: must be from 1 to 1024, not 1e+06"),
        ({"kind": "cpu-burn", "parameters": {"share": 0}}, "parameters.share: must be from 0.01 to 1, not 0"),
        ({"kind": "cpu-burn", "parameters": {}, "probability": 0.5}, "probability: cpu-burn is the whole process's: it touches everybody"),
        ({"kind": "cpu-burn", "parameters": {}, "scope": {"baggage": {"a": "b"}}}, "scope.baggage: cpu-burn is the whole process's: it touches everybody"),
        ({"scope": {"header": "x"}}, "scope: there is no 'header'; there are baggage"),
        ({"scope": {"baggage": {}}}, "scope.baggage: must be one entry, a text by its name"),
        ({"scope": {"baggage": {"a": "b", "c": "d"}}}, "scope.baggage: must be one entry, a text by its name"),
        ({"scope": {"baggage": {"a": 1}}}, "scope.baggage: must be one entry, a text by its name"),
        ({"id": "a b"}, "id: must be 1 to 64 letters, digits, `.`, `_` or `-`"),
        ({"experiment": "x" * 65}, "experiment: must be 1 to 64 letters, digits, `.`, `_` or `-`"),
        ({"forever": True}, "body: there is no 'forever'; there are id, experiment, service, operation, kind, parameters, probability, scope, ttl_s"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_field_and_the_choices(members: dict[str, Any], said: str) -> None:
    assert refusal(**members).startswith(said)


@pytest.mark.parametrize("body", [None, [], 5, "latency"])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(FaultRefusedError, match="body: must be a JSON object"):
        document.read(body, POINTS, "payments")


def test_what_is_told_of_a_fault_can_be_asked_for_again() -> None:
    asked = {
        "id": "f-9", "experiment": "slow-payments", "service": "payments", "operation": "Authorize", "kind": "latency",
        "parameters": {"distribution": "normal", "mean_ms": 5.0, "deviation_ms": 1.0}, "probability": 0.5,
        "scope": {"baggage": {"faultline.who": "me"}}, "ttl_s": 30.0,
    }  # fmt: skip
    armed = FaultStore(FakeClock()).add(document.read(asked, POINTS, "payments"))
    armed.touched = 3
    told = document.write(armed)
    assert json.loads(json.dumps(told)) == {**asked, "protocol": "grpc", "remaining_s": 30.0, "touched": 3}
