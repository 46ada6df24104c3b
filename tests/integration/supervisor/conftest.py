"""Systems of tiny processes, each ended after its test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.system import System, start_system
from tests.integration.supervisor.topologies import reference

Start = Callable[[str], System]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that does not exist yet, on a path that a careless command line would break at."""
    return tmp_path / "a state"


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Starts the topology of that name in `topologies.py`, on free ports."""
    with ExitStack() as systems:
        yield lambda name: systems.enter_context(start_system(state, topology=reference(name), ready_deadline_s=30))


@pytest.fixture
def pair(start: Start) -> System:
    """`back-1` and `front-1`."""
    return start("PAIR")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`back-1` and `front-1`, for all tests of a module that do them no harm."""
    with start_system(tmp_path_factory.mktemp("shared") / "a state", topology=reference("PAIR")) as system:
        yield system
