"""What the tests of this folder are given."""

from collections.abc import Iterator

import pytest

from services.chassis.faults.site import FaultSite
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.recording import Recording
from tests.unit.chassis.recording import recording as recording_


@pytest.fixture
def recording() -> Iterator[Recording]:
    """Telemetry whose spans, metrics and log lines can be read."""
    with recording_() as running:
        yield running


@pytest.fixture
def site(recording: Recording) -> FaultSite:
    """The faults of a process called `toy`."""
    return FaultSite("toy", recording.telemetry, CATALOGUE, enabled=True)
