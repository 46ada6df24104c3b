"""What the tests of this folder are given."""

from collections.abc import Iterator

import pytest

from tests.unit.chassis.recording import Recording
from tests.unit.chassis.recording import recording as recording_


@pytest.fixture
def recording() -> Iterator[Recording]:
    with recording_() as running:
        yield running
