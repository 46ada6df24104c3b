"""A fault as JSON, read and written.

    {"id": "f-1a2b3c4d", "experiment": "manual", "service": "payments", "operation": "Authorize", "kind": "latency",
     "parameters": {"distribution": "fixed", "ms": 500}, "probability": 1, "scope": {"baggage": {"faultline.who": "me"}},
     "ttl_s": 60}

`kind` and `ttl_s` must be given; `id` is made, `experiment` is `manual`, `service` the process's own and every operation
meant where they are not. The answer adds `protocol`, `remaining_s` and `touched`.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import MATRIX, Kind
from services.chassis.faults.model import MANUAL, Baggage, Fault
from services.chassis.faults.parameters import Parameters
from services.chassis.faults.points import Point, having_kind, having_operation, of_service
from services.chassis.faults.store import Armed
from services.chassis.faults.values import one_of

Document = Mapping[str, Any]

_MEMBERS = ("id", "experiment", "service", "operation", "kind", "parameters", "probability", "scope", "ttl_s")
_DISTRIBUTION = "distribution"


def read(document: Any, points: Sequence[Point], default_service: str) -> Fault:
    """The fault that a document asks for, at one of `points`. Raises FaultRefusedError naming the valid choices."""
    given = _object("body", document, _MEMBERS)
    kind = Kind(one_of("kind", _needed(given, "kind"), Kind))
    point = _point(points, given, default_service, kind)
    return Fault(
        fault_id=given.get("id") or f"f-{secrets.token_hex(4)}",
        experiment=given.get("experiment") or MANUAL,
        service=point.service,
        protocol=point.protocol,
        operation=given.get("operation"),
        kind=kind,
        parameters=_parameters(given.get("parameters") or {}, MATRIX[kind][point.protocol]),
        probability=given.get("probability", 1.0),
        baggage=_baggage(given.get("scope")),
        ttl_s=_needed(given, "ttl_s"),
    )


def write(armed: Armed) -> dict[str, Any]:
    """What is told of a fault in force."""
    fault = armed.fault
    parameters = asdict(fault.parameters)
    if fault.parameters.distribution:
        parameters = {_DISTRIBUTION: fault.parameters.distribution, **parameters}
    return {
        "id": fault.fault_id,
        "experiment": fault.experiment,
        "service": fault.service,
        "protocol": fault.protocol,
        "operation": fault.operation,
        "kind": fault.kind,
        "parameters": parameters,
        "probability": fault.probability,
        "scope": {"baggage": {fault.baggage.key: fault.baggage.value}} if fault.baggage else None,
        "ttl_s": fault.ttl_s,
        "remaining_s": round(armed.remaining_s, 3),
        "touched": armed.touched,
    }


def _point(points: Sequence[Point], given: Document, default_service: str, kind: Kind) -> Point:
    found = having_kind(of_service(points, given.get("service") or default_service), kind)
    operation = given.get("operation")
    return (having_operation(found, operation) if operation is not None else found)[0]


def _parameters(given: Any, classes: Sequence[type[Parameters]]) -> Parameters:
    named = {each.distribution: each for each in classes}
    chosen = classes[0]
    if len(classes) > 1:
        document = _object("parameters", given, None)
        name = one_of(f"parameters.{_DISTRIBUTION}", document.get(_DISTRIBUTION, chosen.distribution), named)
        chosen, given = named[name], {key: value for key, value in document.items() if key != _DISTRIBUTION}
    known = fields(chosen)
    values = _object("parameters", given, [each.name for each in known])
    for each in known:
        if each.default is MISSING:
            _needed(values, each.name, "parameters.")
    return chosen(**values)


def _baggage(scope: Any) -> Baggage | None:
    if scope is None:
        return None
    entries = _object("scope", scope, ["baggage"]).get("baggage", {})
    if (
        not isinstance(entries, dict)
        or len(entries) != 1
        or not all(isinstance(each, str) for each in entries.values())
    ):
        raise FaultRefusedError("scope.baggage", "must be one entry, a text by its name")
    ((key, value),) = entries.items()
    return Baggage(key, value)


def _object(field: str, value: Any, names: Collection[str] | None) -> Document:
    """`value` if it is an object that has no other members than `names`; None: any."""
    if not isinstance(value, dict):
        raise FaultRefusedError(field, "must be a JSON object")
    for name in value:
        if names is not None and name not in names:
            raise FaultRefusedError(field, f"there is no {name!r}; there are {', '.join(names) or 'none'}")
    return value


def _needed(document: Document, name: str, prefix: str = "") -> Any:
    if document.get(name) is None:
        raise FaultRefusedError(f"{prefix}{name}", "must be given")
    return document[name]
