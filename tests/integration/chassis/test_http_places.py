"""The places of a listener's connections: those that idle give theirs to new ones, and who finds none is told."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from starlette.types import Receive, Scope, Send

from observability import semconv
from services.chassis.http.limits import Limits
from services.chassis.http.refusal import PlainRefusals
from services.chassis.http.server import HttpServer
from tests.integration.chassis.http_toy import Parts, create_app, outside, served
from tests.integration.chassis.ports import HOST, free_port
from tests.raw_http import PATIENCE_S, RawConnection, connected, exchange
from tests.unit.chassis.recording import Recording

CUT = semconv.HTTP_SERVER_CONNECTIONS_CUT
GET = b"GET /v1/items HTTP/1.1\r\nHost: toy\r\n\r\n"
ONE_PLACE = Limits(connections=1, idle_seconds=0.0)


async def asked(connection: RawConnection) -> int:
    """The status of the answer."""
    await connection.send(GET)
    return (await connection.answer()).status


async def test_the_one_that_has_idled_for_longest_gives_its_place_to_a_new_one(recording: Recording) -> None:
    app = outside(create_app(recording, Parts()))
    async with served(app, Limits(connections=2, idle_seconds=0.0), recording) as client, AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(connected(HOST, client.port)) for _ in range(2)]
        assert [await asked(each) for each in (first, second, first)] == [200] * 3
        third = await stack.enter_async_context(connected(HOST, client.port))
        assert [await asked(each) for each in (third, first)] == [200] * 2
        assert await second.closed()
        assert recording.count(semconv.HTTP_SERVER_CONNECTIONS) == 2
    assert [recording.count(CUT, why) for why in semconv.CONNECTION_CUTS] == [0, 0, 0]


async def test_many_new_ones_at_once_take_the_places_of_as_many(recording: Recording) -> None:
    app = outside(create_app(recording, Parts()))
    async with served(app, Limits(connections=20, idle_seconds=0.0), recording) as client, AsyncExitStack() as stack:
        before = [await stack.enter_async_context(connected(HOST, client.port)) for _ in range(20)]
        assert [await asked(each) for each in before] == [200] * 20
        answers = await asyncio.gather(*(exchange(HOST, client.port, GET) for _ in range(20)))
        assert [each.status for each in answers] == [200] * 20


async def test_one_that_is_being_served_gives_its_place_to_nobody(recording: Recording) -> None:
    parts = Parts()
    app = outside(create_app(recording, parts))
    async with served(app, ONE_PLACE, recording) as client, connected(HOST, client.port) as first:
        assert await asked(first) == 200
        await first.send(GET.replace(b"items", b"work"))
        await parts.begun.wait()
        assert (await exchange(HOST, client.port, GET)).status == 503
        parts.release.set()
        assert (await first.answer()).status == 200


async def test_one_that_still_reads_its_answer_is_not_taken_for_idle() -> None:
    port, written = free_port(), asyncio.Event()
    body = b"x" * 64_000_000  # more than the system buffers

    async def much(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})
        written.set()

    server = HttpServer("http server", PlainRefusals(much), HOST, port, limits=ONE_PLACE)
    await server.start()
    async with connected(HOST, port) as first:
        await first.send(GET)
        await written.wait()
        assert (await exchange(HOST, port, GET)).status == 503
        assert len((await first.answer()).body) == len(body)
    await server.stop()


async def test_connections_beyond_the_limit_are_told_and_those_that_were_there_go_on(recording: Recording) -> None:
    """Though they idle, as long as they have not done so for long: else a flood would take their places."""
    app = outside(create_app(recording, Parts()))
    limits = Limits(connections=1, idle_seconds=PATIENCE_S)
    async with served(app, limits, recording) as client, connected(HOST, client.port) as first:
        assert await asked(first) == 200
        async with connected(HOST, client.port) as second:
            await second.send(GET)
            answer = await second.answer()
            assert (answer.status, answer.slug) == (503, "service-unavailable")
            assert answer.headers["retry-after"] == "1"
            assert await second.closed()
        assert await asked(first) == 200
    assert recording.count(semconv.HTTP_SERVER_REQUEST_DURATION, "GET", "/v1/items", "503") == 1


async def test_connections_far_beyond_the_limit_are_cut_off(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.protocol._ANSWERED_BEYOND", 0)
    app = outside(create_app(recording, Parts()))
    limits = Limits(connections=1, idle_seconds=PATIENCE_S)
    async with served(app, limits, recording) as client, connected(HOST, client.port) as first:
        assert await asked(first) == 200
        async with connected(HOST, client.port) as second:
            assert await second.closed()
        assert await asked(first) == 200
        assert recording.count(semconv.HTTP_SERVER_CONNECTIONS) == 1
    assert recording.count(CUT, semconv.CUT_CROWDED) == 1
    assert recording.count(semconv.HTTP_SERVER_CONNECTIONS) == 0
