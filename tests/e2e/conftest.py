"""Ways to look at the running system, and a system that may be hurt."""

from collections.abc import Iterator

import pytest

from deploy.system import System, start_system
from tests.e2e.http_api import Api
from tests.e2e.running import shopper
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces


@pytest.fixture(scope="module")
def own_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that this module may hurt, that nobody used before it, and that never runs out of goods."""
    with start_system(tmp_path_factory.mktemp("own-system"), topology=PLENTIFUL_REFERENCE) as started:
        yield started


@pytest.fixture(scope="session")
def api(system: System) -> Api:
    return shopper(system)


@pytest.fixture(scope="session")
def traces(system: System) -> Traces:
    return Traces(system.query_url)
