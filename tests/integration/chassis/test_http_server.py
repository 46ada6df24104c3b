import asyncio
import socket
from functools import partial

import aiohttp
import pytest
from starlette.types import Receive, Scope, Send

from services.chassis.errors import NotReadyError, PortTakenError, SettingsError
from services.chassis.http.server import HttpServer
from services.chassis.listener import bind
from tests.integration.chassis.http_toy import Client, Parts, create_app, served
from tests.integration.chassis.ports import HOST, free_port, taken_port
from tests.integration.chassis.processes import eventually
from tests.unit.chassis.recording import Recording


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that nobody asks."""


async def refused(port: int) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection((HOST, port)):
        pass


async def test_a_drain_lets_work_in_flight_finish_and_takes_no_more(recording: Recording) -> None:
    parts, port = Parts(), free_port()
    server = HttpServer("http server", create_app(recording, parts), HOST, port)
    await server.start()
    async with aiohttp.ClientSession() as session:
        client = Client(session, f"http://{HOST}:{port}")
        asked = asyncio.create_task(client.get("/v1/work"))
        await parts.begun.wait()
        drained = asyncio.create_task(server.drain())
        await eventually(partial(refused, port))
        assert not drained.done()
        parts.release.set()
        assert (await asked).status == 200
        await drained
    await server.stop()


async def test_a_port_can_be_had_again_at_once(recording: Recording) -> None:
    port = free_port()
    for _ in range(2):
        server = HttpServer("http server", create_app(recording, Parts()), HOST, port)
        await server.start()
        async with aiohttp.ClientSession() as session:
            assert (await Client(session, f"http://{HOST}:{port}").get("/v1/items")).status == 200
        await server.drain()
        await server.stop()


async def test_it_is_ready_while_it_serves() -> None:
    server = HttpServer("http server", nothing, HOST, port := free_port())
    with pytest.raises(NotReadyError, match=f"http server on port {port} does not serve"):
        await server.check()
    await server.start()
    await server.check()
    await server.drain()
    with pytest.raises(NotReadyError):
        await server.check()
    await server.stop()


async def test_a_taken_port_is_named_with_its_setting() -> None:
    with taken_port() as port:
        server = HttpServer("admin", nothing, HOST, port, "ADMIN_PORT")
        with pytest.raises(PortTakenError, match=f"ADMIN_PORT={port}: {HOST}:{port} is taken"):
            await server.start()
        await server.stop()


def test_a_port_that_is_bound_but_not_yet_listened_on_goes_to_one_alone() -> None:
    port = free_port()
    with bind("HTTP_PORT", HOST, port), pytest.raises(PortTakenError):
        bind("HTTP_PORT", HOST, port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_a_wrong_setting(host: str) -> None:
    with pytest.raises(SettingsError, match="BIND_HOST: cannot listen on"):
        bind("HTTP_PORT", host, free_port())


async def test_a_server_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError("no more sockets")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", fail)
    server = HttpServer("http server", nothing, HOST, free_port())
    with pytest.raises(OSError, match="no more sockets"):
        await server.start()
    await server.stop()


async def test_it_speaks_ipv6_where_there_is_some(recording: Recording) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    port = free_port()
    server = HttpServer("http server", create_app(recording, Parts()), "::1", port)
    await server.start()
    async with aiohttp.ClientSession() as session:
        assert (await Client(session, f"http://[::1]:{port}").get("/v1/items")).status == 200
    await server.stop()


async def test_a_step_raises_no_more_than_a_broken_connection_once_an_answer_has_begun(recording: Recording) -> None:
    app = create_app(recording, Parts())

    async def half(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # ASGI's signature
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    app.mount("/half", half)
    async with served(app) as client:
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get("/half/")
    assert recording.logged("unexpected error while serving")["exception.type"] == "builtins.ZeroDivisionError"
