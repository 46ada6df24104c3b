"""A system that has all it can do says so; with its own settings an ordinary crowd does not bring it there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.system import System, start_system
from tests.e2e.http_api import Answer, Api
from tests.e2e.metrics import samples
from tests.e2e.running import SERVICES, admin_url, shopper
from tests.e2e.topologies import CROWDED_REFERENCE
from tests.waiting import eventually

PRODUCTS = "/api/v1/products"
CROWD = 16


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with start_system(tmp_path_factory.mktemp("crowded"), topology=CROWDED_REFERENCE) as started:
        yield started


def told(system: System, service: str, name: str) -> float:
    (found,) = samples(admin_url(system, service), name)
    return found.value


def ask_together(api: Api) -> list[Answer]:
    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(lambda _: api.get(PRODUCTS), range(CROWD)))


def overloaded(answers: list[Answer]) -> list[Answer]:
    """Those that were refused for there being too many; a busy machine may have others fail for reasons of its own."""
    return [each for each in answers if each.status == 503 and each.json()["type"] == "/problems/overloaded"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_limit_and_counts_whom_it_refuses(system: System, service: str) -> None:
    assert told(system, service, "faultline_server_limit") >= 200
    assert told(system, service, "faultline_server_shed_total") == 0


def test_an_ordinary_crowd_is_not_refused(system: System) -> None:
    assert not overloaded(ask_together(shopper(system)))
    assert told(system, "gateway", "faultline_server_shed_total") == 0


def test_who_is_too_much_is_refused_and_the_others_are_served(crowded: System) -> None:
    answers: list[Answer] = []

    def some_are_refused_and_some_are_not() -> None:
        answers.extend(ask_together(shopper(crowded)))
        assert overloaded(answers)
        assert 200 in {each.status for each in answers}

    eventually(some_are_refused_and_some_are_not, within=60.0)
    assert {each.headers["retry-after"] for each in overloaded(answers)} == {"1"}
    assert told(crowded, "gateway", "faultline_server_shed_total") == len(overloaded(answers))
    assert told(crowded, "inventory", "faultline_server_shed_total") == 0


def test_health_is_never_shed(crowded: System) -> None:
    ask_together(shopper(crowded))
    assert Api(admin_url(crowded, "gateway")).get("/readyz").status == 200
