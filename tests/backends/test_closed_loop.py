"""Payments fails; an alert fires, somebody is notified, a trace says why; payments is healed, and that is told too."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from chaos.control import Fault, FaultControl, HttpFaultControl, PlacedFault, target
from deploy.system import System, start_system
from deploy.topology import ALERTS
from observability import semconv
from tests.backends.clients import Prometheus
from tests.backends.programs import READY_WITHIN_S, need
from tests.backends.shoppers import Shoppers
from tests.conftest import Counts
from tests.e2e.experiments import PAGED, alerted, held
from tests.e2e.http_api import Api
from tests.e2e.policies import switch
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces
from tests.waiting import eventually

ALERT = "CheckoutAvailabilityBurnRate"
HALF = 0.5
WITHIN_S = 300.0
"""Far more than it takes, on a machine that is busy."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with all three programs, whose callers neither retry nor keep orders for later: a failure is seen."""
    programs = ("prometheus", "alertmanager", "jaeger")
    for name in programs:
        need(name)
    with start_system(
        tmp_path_factory.mktemp("watched"),
        topology=PLENTIFUL_REFERENCE,
        programs=programs,
        ready_deadline_s=READY_WITHIN_S,
    ) as started:
        switch(started, "gateway", "orders", preset="timeouts")
        switch(started, "orders", "payments", preset="timeouts")
        yield started


@pytest.fixture
def faults(watched: System) -> Iterator[FaultControl]:
    control = HttpFaultControl(target.read(watched.state.path))
    yield control
    control.clear()


class Loop:
    """What the programs of one system say about the page for checkouts."""

    def __init__(self, system: System) -> None:
        self.prometheus = Prometheus(system.topology["prometheus_url"])
        self.jaeger = Traces(system.topology["jaeger_url"])
        self._receiver = Api(system.url(f"{ALERTS}-1", "HTTP_PORT"))

    def quiet(self) -> None:
        """Raises AssertionError while Prometheus does not watch yet, or says that checkouts fail."""
        assert self.prometheus.query('faultline:slo_errors:ratio_rate10s{slo="checkout-availability"}')
        firing = [each for each in self.prometheus.alerts() if each["labels"]["alertname"] == ALERT]
        assert not [each for each in firing if each["labels"]["severity"] == "page"]

    def delivered(self, status: str, since_s: float) -> Mapping[str, Any]:
        """The page as it was delivered in this state. Raises AssertionError while it was not."""
        found = self._receiver.get("/api/alerts").json()
        assert found["evaluator"] == "prometheus"
        for each in reversed(found["delivered"]):
            received_s = datetime.fromisoformat(each["at"]).timestamp()
            if received_s >= since_s and (each["alertname"], each["severity"], each["status"]) == (
                ALERT,
                "page",
                status,
            ):
                return {**each, "received_at": received_s}
        raise AssertionError(f"{ALERT} was not delivered as {status}")

    def example(self, since_s: float) -> str:
        """A trace of a failed checkout, as the metric's exemplar names it. Raises AssertionError while there is none."""
        failed = semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name + (
            '_bucket{service="gateway", http_request_method="POST", http_response_status_code="503"}'
        )
        found = self.prometheus.exemplars(failed, since_s, time.time())
        assert found, "no failed checkout has an exemplar yet"
        return str(found[-1]["labels"][semconv.TRACE_ID])

    def assert_explained(self, trace_id: str, fault: PlacedFault) -> None:
        """The trace, in Jaeger, says which fault it was, in the service that has it."""
        trace = self.jaeger.whole(trace_id, "gateway", "orders", "payments")
        touched = [span for span in trace.spans if span.tags.get(semconv.FAULT_ID) == fault.fault_id]
        assert {span.service for span in touched} == {"payments"}


def once_around(loop: Loop, faults: FaultControl) -> tuple[float, float]:
    """Fault to recovery, each step seen where its user sees it. Seconds until it was told, and until the end was."""
    eventually(loop.quiet, WITHIN_S)
    began = time.time()
    (fault,) = faults.add(Fault("payments", "error", ttl_s=600, operation="Authorize", probability=HALF))
    page = eventually(lambda: loop.delivered("firing", began), WITHIN_S)
    assert page["runbook_url"].endswith(f"/{ALERT}")
    trace_id = eventually(lambda: loop.example(began), WITHIN_S)
    loop.assert_explained(trace_id, fault)
    healed = time.time()
    assert faults.remove(fault.fault_id) == 1
    resolved = eventually(lambda: loop.delivered("resolved", healed), WITHIN_S)
    assert (resolved["labels"], resolved["starts_at"]) == (page["labels"], page["starts_at"])
    return page["received_at"] - began, resolved["received_at"] - healed


@pytest.mark.timeout(1800)
def test_a_fault_is_told_explained_and_its_end_is_told(
    watched: System,
    faults: FaultControl,
    counts: Counts,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Shoppers(watched):
        loop = Loop(watched)
        rounds = [once_around(loop, faults) for _ in range(counts(3, 8))]
    detected, recovered = (sorted(each) for each in zip(*rounds, strict=True))
    with capsys.disabled():
        for what, seconds in (("detected", detected), ("recovery told", recovered)):
            told = ", ".join(f"{each:.0f}" for each in seconds)
            print(f"\nclosed loop  {what} after {told} s, in the median {median(seconds):.0f} s")


@pytest.mark.timeout(5200)
def test_the_experiment_waits_for_the_real_programs(watched: System, tmp_path: Path, counts: Counts) -> None:
    runs = counts(1, 3)
    record, said = alerted(watched, tmp_path, runs)
    assert len(record["arms"]) == runs
    for arm in record["arms"]:
        assert arm["found"]["alerts"]["evaluator"] == "prometheus"
        claims = held(arm)
        assert PAGED.items() <= claims.items(), record["verdict"]
        assert claims["failed checkouts name the fault in their traces"], arm["found"]["assertions"]
    assert "Prometheus evaluates, Alertmanager tells" in said
