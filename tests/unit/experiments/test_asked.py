"""Which faults an experiment asks for, before it begins."""

from collections.abc import Sequence
from typing import Any

import pytest

from chaos.control import AwayError, Fault, Found, PlacedFault
from chaos.measure.errors import DrivingError
from chaos.runs import catalogue
from chaos.toolkit import asked


class Listening:
    """A FaultControl that is asked whether a fault could be, and nothing else."""

    def __init__(self, error: AwayError | None = None) -> None:
        self.heard: list[Fault] = []
        self._error = error

    def check(self, fault: Fault) -> None:
        self.heard.append(fault)
        if self._error:
            raise self._error

    def add(self, fault: Fault) -> Sequence[PlacedFault]:
        raise AssertionError(f"nothing is to be touched, but {fault}")

    def in_force(self) -> Found:
        raise NotImplementedError

    def remove(self, fault_id: str, service: str = "") -> int:
        raise NotImplementedError

    def clear(self) -> int:
        raise NotImplementedError


def experiment(**arguments: Any) -> dict[str, Any]:
    """Whose fault has these arguments."""
    provider = {"type": "python", "module": "chaos.toolkit.actions", "func": "inject", "arguments": arguments}
    return {"method": [{"type": "action", "name": "slow it down", "provider": provider}]}


COMPLETE = {"service": "payments", "kind": "latency", "ttl_s": 60, "experiment": "${name}"}


def test_each_fault_is_asked_about_with_the_configuration_s_values() -> None:
    control = Listening()
    asked.check(experiment(**COMPLETE, parameters={"ms": 5}), {"name": "mine"}, control)
    assert control.heard == [Fault("payments", "latency", 60.0, {"ms": 5}, experiment="mine")]


@pytest.mark.parametrize(("name", "faults"), [("slow-payments", 1), ("failing-payments", 1), ("payments-down", 0)])
def test_the_experiments_that_come_with_the_system_ask_for_theirs(name: str, faults: int) -> None:
    control = Listening()
    asked.check(catalogue.load(name).document, {}, control)
    assert len(control.heard) == faults


def test_a_refusal_is_handed_on() -> None:
    with pytest.raises(DrivingError, match="payments-1 at there does not answer: no"):
        asked.check(experiment(**COMPLETE), {"name": "mine"}, Listening(AwayError("payments-1", "there", "no")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"ttl_s": "soon"}, "slow it down: .*'soon'"), ({"percent": 200}, "slow it down: .*'percent'")],
)
def test_what_is_no_fault_is_named(changes: dict[str, Any], said: str) -> None:
    control = Listening()
    with pytest.raises(asked.NotAFaultError, match=said):
        asked.check(experiment(**{**COMPLETE, **changes}), {"name": "mine"}, control)
    assert control.heard == []
