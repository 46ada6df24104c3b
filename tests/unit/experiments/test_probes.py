from collections.abc import Iterator
from dataclasses import replace

import pytest

from chaos.control.target import Instance
from chaos.measure.samples import ProcessSeen, Sample
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
