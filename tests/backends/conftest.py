"""A system beside the real programs, and a client for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.system import System, start_system
from tests.backends.clients import Alertmanager, Prometheus
from tests.backends.programs import READY_WITHIN_S, found, need
from tests.e2e.http_api import Api
from tests.e2e.running import shopper
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces

TRICKLE_RPS = 5.0
TIMEOUT_S = 600.0
"""For a test with its fixtures, which may start a dozen processes on a machine that is busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for each in items:
        if each.path.is_relative_to(Path(__file__).parent) and not each.get_closest_marker("timeout"):
            each.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with every program that this machine has, and a trickle of load, which never runs out of goods.

    It may be given faults and other policies, which are taken back; no process of it may be hurt.
    """
    with start_system(
        tmp_path_factory.mktemp("observed"),
        topology=PLENTIFUL_REFERENCE,
        programs=found(),
        load_rps=TRICKLE_RPS,
        ready_deadline_s=READY_WITHIN_S,
    ) as started:
        yield started


@pytest.fixture(scope="session")
def prometheus(request: pytest.FixtureRequest) -> Prometheus:
    """The real Prometheus of `observed`."""
    need("prometheus")
    return Prometheus(request.getfixturevalue("observed").topology["prometheus_url"])


@pytest.fixture(scope="session")
def alertmanager(request: pytest.FixtureRequest) -> Alertmanager:
    """The real Alertmanager of `observed`."""
    need("alertmanager")
    return Alertmanager(request.getfixturevalue("observed").topology["alertmanager_url"])


@pytest.fixture(scope="session")
def jaeger(request: pytest.FixtureRequest) -> Traces:
    """The query API of `observed`'s real Jaeger."""
    need("jaeger")
    return Traces(request.getfixturevalue("observed").topology["jaeger_url"])


@pytest.fixture(scope="session")
def customer(observed: System) -> Api:
    """Somebody who browses and buys in `observed`."""
    return shopper(observed)
