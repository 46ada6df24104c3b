"""A backend is killed while customers buy: that costs telemetry, which is counted and shown, and nothing else."""

import json
from collections.abc import Iterator

import pytest

from deploy.system import System, start_system
from deploy.topology import BACKEND
from observability import semconv
from tests.backends.programs import READY_WITHIN_S, found, need
from tests.backends.shoppers import Shoppers
from tests.e2e.http_api import Api
from tests.e2e.metrics import samples
from tests.e2e.running import SERVICES, admin_url, shopper
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces
from tests.integration.supervisor.command import faultline
from tests.waiting import eventually

HELD_DOWN_S = 300.0
WITHIN_S = 120.0
MOST = 0.9
"""Of all requests: on a busy machine one or the other is late, with or without backends."""
BOUGHT = 20
"""Checkouts while a backend is away: enough for each exporter to try, fail and try again."""


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose backends are killed."""
    with start_system(
        tmp_path_factory.mktemp("hurt"),
        topology=PLENTIFUL_REFERENCE,
        programs=found(),
        ready_deadline_s=READY_WITHIN_S,
    ) as started:
        yield started


def down(system: System, instance: str) -> None:
    """Raises AssertionError until `faultline status` says so."""
    told = json.loads(faultline(system.state.path, "status", "--json").stdout)
    states = {each["instance"]: each["state"] for each in told["processes"]}
    assert states[instance] == "waiting", states


def bought(shoppers: Shoppers, more_than: int) -> None:
    """Raises AssertionError until so many checkouts were made."""
    assert shoppers.seen["POST 201"] >= more_than, shoppers.seen


def ready(system: System, instance: str) -> None:
    assert system.supervisor.process(instance)["state"] == "ready"


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "jaeger", BACKEND])
def test_customers_do_not_notice(hurt: System, name: str) -> None:
    if name != BACKEND:
        need(name)
    with Shoppers(hurt) as shoppers:
        eventually(lambda: bought(shoppers, BOUGHT), WITHIN_S)
        hurt.supervisor.kill(f"{name}-1", HELD_DOWN_S)
        eventually(lambda: down(hurt, f"{name}-1"), WITHIN_S)
        before = shoppers.seen["POST 201"]
        eventually(lambda: bought(shoppers, before + BOUGHT), WITHIN_S)
        hurt.supervisor.restart(f"{name}-1")
        eventually(lambda: ready(hurt, f"{name}-1"), WITHIN_S)
        before = shoppers.seen["POST 201"]
        eventually(lambda: bought(shoppers, before + BOUGHT), WITHIN_S)
    served = shoppers.seen["POST 201"] + shoppers.seen["POST 202"] + shoppers.seen["GET 200"]
    assert served >= MOST * shoppers.seen.total(), shoppers.seen


def lost(system: System) -> float:
    """Spans that services could not deliver."""
    counted = [
        sample.value
        for service in SERVICES
        for result in (semconv.SPANS_FAILED, semconv.SPANS_DROPPED)
        for sample in samples(
            admin_url(system, service),
            semconv.TELEMETRY_SPANS.prometheus_name,
            **{semconv.prometheus_label(semconv.TELEMETRY_RESULT): result},
        )
    ]
    return sum(counted)


def test_what_nobody_takes_is_counted(hurt: System) -> None:
    before = lost(hurt)
    hurt.supervisor.kill(f"{BACKEND}-1", HELD_DOWN_S)

    def check() -> None:
        assert lost(hurt) > before

    with Shoppers(hurt):
        eventually(check, WITHIN_S)
        hurt.supervisor.restart(f"{BACKEND}-1")
        eventually(lambda: ready(hurt, f"{BACKEND}-1"), WITHIN_S)


def test_jaeger_gets_later_what_it_missed(hurt: System) -> None:
    need("jaeger")
    hurt.supervisor.kill("jaeger-1", HELD_DOWN_S)
    answer = shopper(hurt).check_out()
    Traces(hurt.query_url).whole(answer.trace_id, *SERVICES)
    (waiting,) = samples(hurt.url(f"{BACKEND}-1", "ADMIN_PORT"), "faultline_backend_forward_waiting_bytes")
    assert waiting.value > 0
    hurt.supervisor.restart("jaeger-1")
    jaeger = Api(hurt.topology["jaeger_url"])

    def check() -> None:
        try:
            assert jaeger.get(f"/api/traces/{answer.trace_id}").status == 200
        except OSError as exc:
            raise AssertionError("Jaeger is not back yet") from exc

    eventually(check, WITHIN_S)
    Traces(hurt.topology["jaeger_url"]).whole(answer.trace_id, *SERVICES)
