import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from services.chassis import admin
from services.chassis.admin import Check, LoopLag
from services.chassis.component import Lifecycle
from services.chassis.edge import Edge
from services.chassis.errors import PeerUnavailableError, PortTakenError
from services.chassis.http.server import HttpServer
from services.chassis.side_thread import SideThread
from tests.integration.chassis.ports import HOST, free_port, taken_port
from tests.unit.chassis.recording import Recording


async def fine() -> None:
    """A dependency that is there."""


async def away() -> None:
    raise PeerUnavailableError(Edge("toy", "toy-db", "sql"), "check", "file is gone")


async def silent() -> None:
    await asyncio.Event().wait()


def side_thread(
    recording: Recording,
    lifecycle: Lifecycle,
    checks: Mapping[str, Check],
    port: int,
    peers: Mapping[str, Check] | None = None,
) -> SideThread:
    loop = asyncio.get_running_loop()
    lag = LoopLag(loop)
    app = admin.create_app(recording.telemetry, lifecycle, loop, lag, checks, peers)
    return SideThread("admin", [HttpServer("admin", app, HOST, port, "ADMIN_PORT")], [lag.watch])


@asynccontextmanager
async def watched(
    recording: Recording, peers: Mapping[str, Check] | None = None, **checks: Check
) -> AsyncIterator[tuple[Lifecycle, str]]:
    """A life cycle without components, and the address of its admin listener."""
    lifecycle, port = Lifecycle([], drain_timeout=1), free_port()
    thread = side_thread(recording, lifecycle, checks, port, peers)
    await thread.start()
    try:
        yield lifecycle, f"http://{HOST}:{port}/readyz"
    finally:
        await thread.drain()
        await thread.stop()


async def get(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_it_is_ready_between_its_last_start_and_its_first_drain(recording: Recording) -> None:
    async with watched(recording, database=fine) as (lifecycle, url):
        not_running = {"ready": False, "checks": {"running": "starting or draining", "database": "ok"}}
        assert await get(url) == (503, not_running)
        await lifecycle.start()
        assert await get(url) == (200, {"ready": True, "checks": {"running": "ok", "database": "ok"}})
        await lifecycle.end()
        assert await get(url) == (503, not_running)


async def test_what_is_missing_is_named(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.chassis.admin._CHECK_TIMEOUT", 0.05)
    async with watched(recording, fine=fine, away=away, silent=silent) as (lifecycle, url):
        await lifecycle.start()
        status, found = await get(url)
    assert (status, found["ready"]) == (503, False)
    assert found["checks"] == {
        "running": "ok",
        "fine": "ok",
        "away": "toy → toy-db check: file is gone",
        "silent": "no answer in 0.05 s",
    }
    assert [each.message for each in caplog.records if each.levelno == logging.WARNING] == [
        "readiness check failed"
    ] * 2


async def test_how_it_finds_its_peers_is_told_and_makes_it_no_less_ready(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.chassis.admin._PEER_TIMEOUT", 60)
    peers: dict[str, Check] = {"orders": fine, "inventory": away}
    async with watched(recording, peers, listener=fine) as (lifecycle, url):
        await lifecycle.start()
        status, found = await get(url)
    assert (status, found["ready"]) == (200, True)
    assert found["checks"] == {"running": "ok", "listener": "ok"}
    assert found["peers"] == {"orders": "ok", "inventory": "toy → toy-db check: file is gone"}
    assert not caplog.records, "every look would be a line of log"


async def test_a_peer_that_is_silent_is_not_waited_for(recording: Recording) -> None:
    async with watched(recording, {"payments": silent}) as (lifecycle, url):
        await lifecycle.start()
        status, found = await get(url)
    assert (status, found["peers"]) == (200, {"payments": "no answer in 0.25 s"})


async def test_looking_leaves_no_trace(recording: Recording) -> None:
    async def traced() -> None:
        with recording.telemetry.tracer.start_as_current_span("SELECT"):
            pass

    async with watched(recording, {"peer": traced}, database=traced) as (_, url):
        await get(url)
    assert recording.spans == []


async def test_a_side_thread_that_could_not_start_leaves_nothing(recording: Recording) -> None:
    with taken_port() as port:
        thread = side_thread(recording, Lifecycle([], 1), {}, port)
        with pytest.raises(PortTakenError, match="ADMIN_PORT"):
            await thread.start()
        await thread.stop()
    assert "admin" not in [each.name for each in threading.enumerate()]
