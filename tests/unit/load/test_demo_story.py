from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from deploy.demo.screen import Screen
from deploy.demo.settings import Demonstration
from deploy.demo.story import DemoFailedError, Story
from tests.unit.load.fake_gateway import TRACE_ID, FakeGateway, problem
from tests.unit.load.traces import checkout_trace

KEYS = [f"flk_test_{number}" for number in range(20)]


@dataclass
class FakeSystem:
    """A gateway and a query API. `answers` are given one after the other, the last for ever; None: not found."""

    gateway: FakeGateway
    query_url: str = ""
    answers: list[dict[str, Any] | None] = field(default_factory=lambda: [checkout_trace(TRACE_ID)])

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    async def answer(self, request: web.Request) -> web.Response:
        trace = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if trace is None or request.path != f"/api/traces/{TRACE_ID}":
            return web.json_response({"data": None}, status=404)
        return web.json_response({"data": [trace]})


@pytest.fixture
async def system(gateway: FakeGateway) -> AsyncIterator[FakeSystem]:
    fake, app = FakeSystem(gateway), web.Application()
    app.router.add_get("/{path:.*}", fake.answer)
    running = TestServer(app, host="127.0.0.1")
    await running.start_server()
    fake.query_url = str(running.make_url("")).rstrip("/")
    yield fake
    await running.close()


def a_story(system: FakeSystem, folder: Path, *, terminal: bool = False) -> tuple[Story, StringIO]:
    output = StringIO()
    console = Console(file=output, width=80, force_terminal=terminal, color_system=None)
    demonstration = Demonstration(rps=400, duration_s=0.5, trace_timeout_s=1.5, folder=folder)
    return Story(system, KEYS, demonstration, Screen(console, 3)), output


@pytest.mark.parametrize("terminal", [False, True])
async def test_the_story_shows_a_trace_and_traffic_and_leaves_a_page(
    system: FakeSystem, tmp_path: Path, *, terminal: bool
) -> None:
    story, output = a_story(system, tmp_path, terminal=terminal)
    told = await story.tell()
    text = output.getvalue()
    assert text.index("Payments/Authorize") < text.index("402 payment-declined")
    assert "42 ms, 12 spans in 4 services" in text
    assert told.report.sent == 200
    assert TRACE_ID in told.page.read_text()
    assert told.page == tmp_path / "trace.html"


async def test_a_trace_that_arrives_in_parts_is_awaited(system: FakeSystem, tmp_path: Path) -> None:
    part = checkout_trace(TRACE_ID, ("gateway", "orders"))
    system.answers = [None, None, part, part, part, checkout_trace(TRACE_ID)]
    story, output = a_story(system, tmp_path)
    await story.tell()
    assert "12 spans in 4 services" in output.getvalue()


async def test_a_trace_without_a_service_fails_and_names_it(system: FakeSystem, tmp_path: Path) -> None:
    system.answers = [checkout_trace(TRACE_ID, ("gateway", "orders", "inventory"))]
    with pytest.raises(DemoFailedError, match="no span of payments"):
        await a_story(system, tmp_path)[0].tell()


async def test_a_trace_that_never_comes_fails(system: FakeSystem, tmp_path: Path) -> None:
    system.answers = [None]
    with pytest.raises(DemoFailedError, match=r"did not arrive in 1\.5 s"):
        await a_story(system, tmp_path)[0].tell()


async def test_a_refused_checkout_fails(system: FakeSystem, tmp_path: Path) -> None:
    def refuse_orders(request: web.Request) -> web.Response | None:
        return problem(503, "service-unavailable") if request.method == "POST" else None

    system.gateway.instead = refuse_orders
    with pytest.raises(DemoFailedError, match="503 service-unavailable, not 201"):
        await a_story(system, tmp_path)[0].tell()


async def test_a_gateway_without_products_fails(system: FakeSystem, tmp_path: Path) -> None:
    system.gateway.instead = lambda _: problem(500, "internal")
    with pytest.raises(DemoFailedError, match="did not list products"):
        await a_story(system, tmp_path)[0].tell()


async def test_a_kind_of_outcome_that_was_not_seen_fails_and_is_named(system: FakeSystem, tmp_path: Path) -> None:
    system.gateway.stock = 10_000
    with pytest.raises(DemoFailedError, match="no checkout wanted more than there is") as raised:
        await a_story(system, tmp_path)[0].tell()
    assert len(str(raised.value).splitlines()) == 1
