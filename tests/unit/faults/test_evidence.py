from collections.abc import Iterator

import pytest

from observability import semconv
from services.chassis.faults.evidence import MAX_EXPERIMENTS, OTHER, Evidence
from services.chassis.faults.kinds import Kind
from services.chassis.faults.store import FaultStore
from tests.unit.chassis.recording import Recording, attributes_of
from tests.unit.chassis.recording import recording as recording_
from tests.unit.faults.making import FakeClock, fault


@pytest.fixture
def recording() -> Iterator[Recording]:
    with recording_() as running:
        yield running


def evidence(recording: Recording) -> tuple[Evidence, FaultStore, FakeClock]:
    made, clock = Evidence(recording.telemetry.metrics, list(Kind)), FakeClock()
    return made, FaultStore(clock, made.changed), clock


def test_counts_exist_at_zero_before_anything_happens(recording: Recording) -> None:
    evidence(recording)
    for kind in Kind:
        assert recording.count(semconv.FAULTS_TOUCHED, "manual", kind) == 0
        assert recording.count(semconv.FAULTS_ACTIVE, "manual", kind) == 0


def test_an_experiments_counts_exist_at_zero_once_its_fault_is_set(recording: Recording) -> None:
    _, store, _ = evidence(recording)
    store.add(fault(experiment="slow-payments"))
    assert recording.count(semconv.FAULTS_TOUCHED, "slow-payments", "latency") == 0
    assert recording.count(semconv.FAULTS_ACTIVE, "slow-payments", "latency") == 1


def test_faults_in_force_are_counted_down_when_they_are_over(recording: Recording) -> None:
    _, store, clock = evidence(recording)
    store.add(fault("a", ttl_s=1.0))
    store.add(fault("b"))
    assert recording.count(semconv.FAULTS_ACTIVE, "manual", "latency") == 2
    clock.now = 1.0
    store.prune()
    assert recording.count(semconv.FAULTS_ACTIVE, "manual", "latency") == 1
    store.clear()
    assert recording.count(semconv.FAULTS_ACTIVE, "manual", "latency") == 0


def test_a_touch_is_counted_and_told_on_span_event_and_log(recording: Recording) -> None:
    made, store, _ = evidence(recording)
    armed = store.add(fault("f-7"))
    with recording.telemetry.tracer.start_as_current_span("served"):
        made.injected(armed)
    about = {
        semconv.FAULT_ID: "f-7",
        semconv.FAULT_KIND: "latency",
        semconv.EXPERIMENT: "manual",
    }
    span = recording.named("served")
    assert about.items() <= attributes_of(span).items()
    (event,) = span.events
    assert (event.name, dict(event.attributes or {})) == (semconv.EVENT_FAULT_INJECTED, about)
    assert about.items() <= recording.logged("fault injected").items()
    assert recording.count(semconv.FAULTS_TOUCHED, "manual", "latency") == 1
    assert armed.touched == 1


def test_labels_are_bounded_however_many_experiments_there_are(recording: Recording) -> None:
    made, store, _ = evidence(recording)
    for number in range(MAX_EXPERIMENTS + 5):
        made.injected(store.add(fault(experiment=f"e-{number}")))
        store.clear()
    assert recording.count(semconv.FAULTS_TOUCHED, "e-0", "latency") == 1
    assert recording.count(semconv.FAULTS_TOUCHED, f"e-{MAX_EXPERIMENTS + 4}", "latency") is None
    assert recording.count(semconv.FAULTS_TOUCHED, OTHER, "latency") == 6  # `manual` has the first place
