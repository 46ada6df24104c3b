"""A peer is away: what its callers' policies make of it, switched while the system runs."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from deploy.system import System, start_system
from tests.e2e.http_api import Answer, Api
from tests.e2e.policies import Calls, switch
from tests.e2e.running import shopper
from tests.e2e.topologies import LEFT_ALONE_REFERENCE
from tests.waiting import eventually

CHECKOUTS = 60
HELD_DOWN_S = 300.0


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose payments is killed and held down, and in which nobody but requests calls anybody."""
    with start_system(tmp_path_factory.mktemp("broken"), topology=LEFT_ALONE_REFERENCE) as started:
        eventually(partial(assert_sells, shopper(started)))
        started.supervisor.kill("payments-1", ttl_s=HELD_DOWN_S)
        yield started


def assert_sells(api: Api) -> None:
    assert api.check_out().status == 201


def check_out(api: Api, times: int) -> Counter[int]:
    """The statuses of so many checkouts, a few at a time."""

    def one(_: int) -> Answer:
        return api.check_out()

    with ThreadPoolExecutor(4) as pool:
        return Counter(answer.status for answer in pool.map(one, range(times)))


@pytest.mark.parametrize(
    ("preset", "least", "most"),
    [("off", 1, 1), ("timeouts", 1, 1), ("retries", 3, 3), ("budgeted", 1.1, 1.2)],
)
def test_what_a_dead_peer_gets(preset: str, least: float, most: float, broken: System) -> None:
    switch(broken, "gateway", "orders", preset="timeouts")
    switch(broken, "orders", "payments", preset=preset)
    calls = Calls(broken, "orders", "payments")
    assert check_out(shopper(broken), CHECKOUTS).keys() == {503}
    assert calls.number == CHECKOUTS
    assert least <= calls.amplification <= most
