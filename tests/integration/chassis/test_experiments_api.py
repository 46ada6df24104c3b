"""Saying at the control listener that an experiment runs."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from chaos.control import HttpExperimentControl, RefusedError, Target
from chaos.control.target import Instance
from observability.metrics import Instruments
from services.chassis import control, experiments
from services.chassis.experiments import Experiments
from services.chassis.http.server import HttpServer
from services.chassis.side_thread import SideThread
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.processes import TOKEN


@pytest.fixture
def told() -> Experiments:
    return Experiments(Instruments(CollectorRegistry()))


@pytest.fixture
async def target(told: Experiments) -> AsyncIterator[Target]:
    port = free_port()
    app = control.create_app(TOKEN, experiments.routes(told))
    side = SideThread("control", [HttpServer("control", app, HOST, port, "CONTROL_PORT")])
    await side.start()
    yield Target("", TOKEN, [Instance("gateway-1", "gateway", HOST, {"CONTROL_PORT": port})])
    await side.stop()


async def ask(target: Target, method: str, path: str = "", body: Any = None, token: str = TOKEN) -> tuple[int, str]:
    url = f"{target.instances[0].control_address}/experiments{path}"
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def test_it_is_told_from_outside(target: Target, told: Experiments) -> None:
    running = HttpExperimentControl(target, "gateway")
    running.runs("slow-payments", "full", 30)
    assert [(each["name"], each["arm"]) for each in told.active()] == [("slow-payments", "full")]
    running.over("slow-payments")
    running.over("slow-payments")
    assert told.active() == []


def test_without_a_service_everybody_is_told_and_another_one_is_nobody(target: Target, told: Experiments) -> None:
    HttpExperimentControl(target, "orders").runs("slow-payments", "full", 30)
    assert told.active() == []
    HttpExperimentControl(target).runs("slow-payments", "full", 30)
    assert len(told.active()) == 1


async def test_it_can_be_looked_at(target: Target, told: Experiments) -> None:
    told.runs("slow-payments", "full", 30)
    status, text = await ask(target, "GET")
    assert status == 200
    assert '"name":"slow-payments"' in text


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/slow payments", {"arm": "full", "ttl_s": 5}, "name must be"),
        ("/slow-payments", {"arm": "", "ttl_s": 5}, "arm must be"),
        ("/slow-payments", {"arm": "full", "ttl_s": 0}, "ttl_s must be"),
        ("/slow-payments", {"arm": "full", "ttl_s": 1e9}, "ttl_s must be"),
        ("/slow-payments", {"arm": "full", "ttl_s": True}, "ttl_s must be"),
        ("/slow-payments", {"arm": "full"}, "the body must be"),
        ("/slow-payments", [], "the body must be"),
    ],
)
async def test_what_cannot_be_is_refused_and_named(
    target: Target, told: Experiments, path: str, body: Any, named: str
) -> None:
    status, text = await ask(target, "PUT", path, body)
    assert (status, named in text) == (422, True), text
    assert told.active() == []


def test_the_refusal_reaches_whoever_asked(target: Target) -> None:
    with pytest.raises(RefusedError, match="ttl_s must be"):
        HttpExperimentControl(target).runs("slow-payments", "full", -1)


async def test_without_the_token_nothing_is_heard(target: Target, told: Experiments) -> None:
    status, _ = await ask(target, "PUT", "/slow-payments", {"arm": "full", "ttl_s": 5}, token="guessed")
    assert status == 401
    assert told.active() == []
