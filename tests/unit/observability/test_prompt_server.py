"""A server that ends when it is told to: what is answered meanwhile, and what is left."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from observability.prompt_server import PromptServer
from tests.waiting import become


class App:
    """Answers `done` when told to."""

    def __init__(self) -> None:
        self.entered, self.go_on = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.entered.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


class Running:
    """A server, the task that it runs in, and a connection to it."""

    def __init__(self, app: App, grace_s: int | None) -> None:
        config = uvicorn.Config(
            app, port=0, log_config=None, log_level="error", lifespan="off", timeout_graceful_shutdown=grace_s
        )
        self.server, self.app = PromptServer(config), app

    async def connect(self) -> None:
        self.task = asyncio.create_task(self.server.serve())
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", await become(self._port))

    async def ask(self) -> None:
        """Returns when the request is being worked on."""
        self.writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        await self.app.entered.wait()

    async def _port(self) -> int:
        assert self.server.started
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port


@asynccontextmanager
async def running(grace_s: int | None = None) -> AsyncIterator[Running]:
    made = Running(App(), grace_s)
    await made.connect()
    yield made
    await made.task
    made.writer.close()
    await asyncio.gather(made.writer.wait_closed(), return_exceptions=True)


async def test_an_idle_connection_is_ended() -> None:
    async with running() as it:
        it.server.end()
        assert await it.reader.read() == b""


async def test_what_is_in_flight_is_answered() -> None:
    async with running() as it:
        await it.ask()
        it.server.end()
        await _no_longer_listens(it)
        assert not it.task.done()
        it.app.go_on.set()
        assert (await it.reader.read()).endswith(b"done")


async def test_at_once_it_is_left() -> None:
    async with running() as it:
        await it.ask()
        it.server.end(at_once=True)
        await it.task
        assert not it.app.cancelled
        it.app.go_on.set()
        assert (await it.reader.read()).endswith(b"done")


async def test_at_once_also_after_all() -> None:
    async with running() as it:
        await it.ask()
        it.server.end()
        await _no_longer_listens(it)
        it.server.end(at_once=True)
        await it.task
        it.app.go_on.set()
        await it.reader.read()


async def test_what_takes_longer_than_its_grace_is_cancelled() -> None:
    async with running(grace_s=0) as it:
        await it.ask()
        it.server.end()
        await it.reader.read()
        assert it.app.cancelled


@pytest.mark.parametrize("at_once", [False, True])
async def test_another_thread_may_end_it(at_once: bool) -> None:
    async with running() as it:
        thread = threading.Thread(target=it.server.end, kwargs={"at_once": at_once})
        thread.start()
        await it.task
        thread.join()


async def test_one_that_has_ended_may_be_ended_again() -> None:
    async with running() as it:
        it.server.end()
        await it.task
        it.server.end(at_once=True)


async def test_one_that_is_ended_before_it_started_ends() -> None:
    server = Running(App(), None).server
    server.end()
    await server.serve()
    assert not server.servers[0].is_serving()


async def _no_longer_listens(it: Running) -> None:
    async def check() -> None:
        assert not it.server.servers[0].is_serving()

    await become(check)
