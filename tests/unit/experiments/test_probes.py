import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from chaos.control.target import Instance
from chaos.measure.requests import Request
from chaos.measure.samples import ProcessSeen, Sample
from chaos.measure.traces import JaegerTrace, TraceReader
from chaos.toolkit import probes, session
from chaos.toolkit.probes import not_ready
from chaos.toolkit.session import Session
from tests.unit.experiments import making
from tests.unit.experiments.making import SITE

READY, WAITING = ProcessSeen("ready", 1), ProcessSeen("waiting", None)
ALL = {"gateway-1": READY, "orders-1": READY, "payments-1": READY}


def test_all_that_are_needed_are_ready() -> None:
    assert not_ready(ALL, SITE) == []


def test_who_waits_is_not_ready() -> None:
    assert not_ready(ALL | {"orders-1": WAITING, "jaeger-1": WAITING}, SITE) == ["orders-1", "jaeger-1"]


def test_nobody_is_ready_of_whom_nothing_was_told() -> None:
    assert not_ready({}, SITE) == ["gateway-1", "orders-1", "payments-1"]
    assert not_ready({name: seen for name, seen in ALL.items() if name != "orders-1"}, SITE) == ["orders-1"]


def test_a_load_that_was_never_made_is_not_missed() -> None:
    instances = [*SITE.target.instances, Instance("load-1", "load", "127.0.0.1", {})]
    assert not_ready(ALL, replace(SITE, target=replace(SITE.target, instances=instances))) == []


class Sampled(Session):
    """Its next sample is what a test says; another thread has added an older one since."""

    next = Sample(1.0)

    def sample(self) -> Sample:
        return self.next

    @property
    def samples(self) -> tuple[Sample, ...]:
        return (Sample(0.5, {}, ALL | {"orders-1": WAITING}),)


@pytest.fixture
def running() -> Iterator[Sampled]:
    """The session that probes find."""
    made = making.session(Sampled)
    assert isinstance(made, Sampled)
    session.begin(made)
    yield made
    session.end()


def test_readiness_is_told_by_the_sample_that_was_asked_for(running: Sampled) -> None:
    running.next = Sample(1.0, {}, ALL)
    assert probes.processes_not_ready(within_s=0) == 0
    running.next = Sample(1.0)
    assert probes.processes_not_ready(within_s=0) == 3


class Traces(TraceReader):
    """Traces of one span each, in payments; by trace id the fault that it names, or none."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("")
        self._faults = faults

    def read(self, ids: Sequence[str], patience_s: float = 6.0) -> dict[str, JaegerTrace]:
        del patience_s
        return {each: self._trace(self._faults[each]) for each in ids if each in self._faults}

    @staticmethod
    def _trace(fault_id: str) -> JaegerTrace:
        tags = [{"key": "faultline.fault.id", "value": fault_id}] if fault_id else []
        span = {"operationName": "Payments/Authorize", "processID": "p1", "tags": tags}
        return {"spans": [span], "processes": {"p1": {"serviceName": "payments"}}}


class Hurt(Session):
    """Every second checkout failed; the fault of this run is `f-1`."""

    @property
    def fault_ids(self) -> list[str]:
        return ["f-1"]

    @property
    def requests(self) -> list[Request]:
        return [making.request(at_s, good=bool(at_s % 2), trace_id=f"t{at_s}") for at_s in range(8)]


@pytest.mark.parametrize(
    ("faults", "holds", "said"),
    [
        (
            {"t2": "f-1", "t4": "f-1"},
            True,
            "2 of 2 traces .* name the fault; in t2 payments Payments/Authorize names f-1",
        ),
        ({"t2": "f-1", "t4": "f-9"}, False, "1 of 2 traces"),
        ({"t2": "", "t4": ""}, False, r"0 of 2 traces of bad checkout during the fault name the fault, at least 90%"),
        ({"t3": "f-1"}, False, "0 of 0 traces"),
    ],
)
def test_traces_name_the_fault_of_this_run(faults: dict[str, str], holds: bool, said: str) -> None:
    hurt = making.session(Hurt)
    hurt.traces, hurt.phases.fault_s, hurt.phases.lifted_s = Traces(faults), 1.0, 5.0
    session.begin(hurt)
    found = probes.traces_name_the_fault(0.9, "bad")
    session.end()
    assert found["holds"] == holds
    assert re.search(said, found["said"])
