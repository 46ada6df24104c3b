"""Draining: what is in flight finishes, nothing new is taken."""

import asyncio
import contextlib
import socket

import pytest
from starlette.types import Receive, Scope, Send

from observability.embedded.listener import HttpListener
from observability.sockets import PortTakenError, bind


class SlowApp:
    """Answers when told to."""

    def __init__(self) -> None:
        self.entered, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.entered.set()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


async def test_what_is_in_flight_finishes_and_nothing_new_is_taken() -> None:
    app = SlowApp()
    listener = HttpListener(app, "QUERY_PORT", "127.0.0.1", 0)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    await app.entered.wait()
    draining = asyncio.create_task(listener.drain())
    await _refuses(listener.port)
    assert not draining.done()
    app.go_on.set()
    assert (await reader.read()).endswith(b"done")
    await draining
    writer.close()
    await writer.wait_closed()


async def _refuses(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:  # refused; or reset, when it was in the queue of a listener that closed
            return
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_drain_that_takes_too_long_is_cut() -> None:
    app = SlowApp()
    listener = HttpListener(app, "QUERY_PORT", "127.0.0.1", 0)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    await app.entered.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await listener.drain()
    app.go_on.set()
    await reader.read()
    writer.close()
    await writer.wait_closed()


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} on 127.0.0.1 .*QUERY_PORT"):
            bind("QUERY_PORT", "127.0.0.1", port)
