"""Whatever a client does with its connection comes to an end, and to a problem document where one can be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from observability import semconv
from services.chassis.http.limits import Limits
from services.chassis.http.refusal import PlainRefusals
from services.chassis.http.server import HttpServer
from tests.integration.chassis.http_toy import MAX_BODY_BYTES, Client, Parts, create_app, outside, served
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.test_http_server import nothing
from tests.raw_http import RawConnection, connected, exchange
from tests.unit.chassis.recording import Recording, trace_of

DURATION = semconv.HTTP_SERVER_REQUEST_DURATION
CUT = semconv.HTTP_SERVER_CONNECTIONS_CUT
SOON_S = 0.05
GET = b"GET /v1/items HTTP/1.1\r\nHost: toy\r\n\r\n"
POST = b"POST /v1/items HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\n"
ITEM = b'{"name": "a", "lines": []}'

UNREADABLE = {
    "no HTTP": b"HELLO\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /v1/items\r\n\r\n",
    "a space too many": b"GET  /v1/items HTTP/1.1\r\nHost: toy\r\n\r\n",
    "a control character": b"GET /v1/\x01items HTTP/1.1\r\nHost: toy\r\n\r\n",
    "no host": b"GET /v1/items HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/items HTTP/1.1\r\nHost: toy\r\nHost: other\r\n\r\n",
    "a header without a colon": b"GET /v1/items HTTP/1.1\r\nHost: toy\r\nnonsense\r\n\r\n",
    "a space before the colon": b"GET /v1/items HTTP/1.1\r\nHost: toy\r\nX-A : 1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a length below zero": POST + b"Content-Length: -1\r\n\r\n",
    "a length of letters": POST + b"Content-Length: many\r\n\r\n",
    "an unheard-of coding": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk of no size": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n",
}


@asynccontextmanager
async def bounded(recording: Recording, limits: Limits, body_seconds: float = 60.0) -> AsyncIterator[Client]:
    app = outside(create_app(recording, Parts(), body_seconds=body_seconds))
    async with served(app, limits, recording) as client:
        yield client


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_http_is_told_so(sent: bytes, shared_http: Client, shared_recording: Recording) -> None:
    async with connected(HOST, shared_http.port) as connection:
        await connection.send(sent)
        answer = await connection.answer()
        assert (answer.status, answer.slug) == (400, "malformed-request")
        assert answer.headers["connection"] == "close"
        connection.end()
        assert await connection.closed()
    (span,) = [each for each in shared_recording.spans if trace_of(each) == answer.problem["trace_id"]]
    assert (span.attributes or {})[semconv.HTTP_RESPONSE_STATUS_CODE] == 400
    assert not shared_recording.log_lines


async def test_what_is_refused_unread_is_measured(toy_http: Client, recording: Recording) -> None:
    await exchange(HOST, toy_http.port, b"HELLO\r\n\r\n")
    assert recording.count(DURATION, "_OTHER", "", "400") == 1
    assert recording.count(semconv.HTTP_SERVER_ACTIVE_REQUESTS) == 0


@pytest.mark.parametrize(
    "head",
    [
        GET[:-2] + b"X-Long: " + b"x" * 3_000 + b"\r\n\r\n",
        GET[:-2] + b"X-Long: " + b"x" * 3_000,
        GET[:-2] + b"X-Long: " + b"x" * 1_000_000,
        GET[:-2] + b"".join(b"X-%d: 1\r\n" % each for each in range(300)) + b"\r\n",
        b"GET /v1/items?" + b"q" * 3_000 + b" HTTP/1.1\r\nHost: toy\r\n\r\n",
    ],
    ids=["whole", "half", "far too long", "many", "long address"],
)
async def test_a_head_has_its_size(head: bytes, recording: Recording) -> None:
    async with bounded(recording, Limits(head_bytes=2_000, head_fields=200)) as client:
        answer = await exchange(HOST, client.port, head)
        assert (answer.status, answer.slug) == (431, "headers-too-large")
        assert (await exchange(HOST, client.port, GET)).status == 200


async def test_headers_have_their_number(recording: Recording) -> None:
    async with bounded(recording, Limits(head_fields=5)) as client:
        lines = [b"X-%d: 1\r\n" % each for each in range(5)]
        assert (await exchange(HOST, client.port, GET[:-2] + b"".join(lines[:4]) + b"\r\n")).status == 200
        assert (await exchange(HOST, client.port, GET[:-2] + b"".join(lines) + b"\r\n")).slug == "headers-too-large"
    assert recording.count(DURATION, "GET", "/v1/items", "431") == 1


async def trickle(connection: RawConnection, what: bytes) -> None:
    """Byte by byte, until the server takes no more."""
    while True:
        await connection.send(what)
        await asyncio.sleep(0)


@pytest.mark.parametrize("before", [b"", GET], ids=["at first", "after another"])
async def test_a_head_has_its_time_however_many_bytes_come(before: bytes, recording: Recording) -> None:
    async with bounded(recording, Limits(head_seconds=SOON_S)) as client, connected(HOST, client.port) as connection:
        if before:
            await connection.send(before)
            assert (await connection.answer()).status == 200
        await connection.send(GET[:-2] + b"X-Slow: ")
        trickling = asyncio.create_task(trickle(connection, b"x"))
        answer = await connection.answer()
        assert (answer.status, answer.slug) == (408, "request-too-slow")
        connection.end()
        trickling.cancel()
        assert await connection.closed()
    assert recording.count(DURATION, "_OTHER", "", "408") == 1


async def test_a_connection_on_which_nothing_is_asked_is_closed_and_no_request(recording: Recording) -> None:
    async with bounded(recording, Limits(head_seconds=SOON_S)) as client, connected(HOST, client.port) as connection:
        assert await connection.closed()
    assert recording.count(DURATION, "_OTHER", "", "408") is None
    assert [recording.count(CUT, why) for why in semconv.CONNECTION_CUTS] == [0, 1, 0]


async def test_between_requests_a_connection_may_idle(recording: Recording) -> None:
    async with bounded(recording, Limits(head_seconds=SOON_S)) as client, connected(HOST, client.port) as idle:
        await idle.send(GET)
        assert (await idle.answer()).status == 200
        async with connected(HOST, client.port) as another:
            assert await another.closed()  # so that the time for a head has passed
        await idle.send(GET)
        assert (await idle.answer()).status == 200


@pytest.mark.parametrize(
    ("framing", "piece"),
    [(b"Content-Length: 40000\r\n", b"x"), (b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n"), (b"", b"")],
    ids=["told length", "chunks", "silence"],
)
async def test_a_body_has_its_time(framing: bytes, piece: bytes, recording: Recording) -> None:
    async with bounded(recording, Limits(), SOON_S) as client, connected(HOST, client.port) as connection:
        await connection.send(POST + (framing or b"Content-Length: 5\r\n") + b"\r\n")
        trickling = asyncio.create_task(trickle(connection, piece))
        answer = await connection.answer()
        trickling.cancel()
        assert (answer.status, answer.slug) == (408, "request-too-slow")
    assert recording.count(DURATION, "POST", "/v1/items", "408") == 1


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"], ids=["kept", "to be closed"])
async def test_a_body_without_end_is_answered_and_read_no_longer_than_its_time(
    close: bytes, recording: Recording
) -> None:
    async with bounded(recording, Limits(rest_seconds=SOON_S)) as client, connected(HOST, client.port) as connection:
        await connection.send(POST + close + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        trickling = asyncio.create_task(trickle(connection, chunk))
        answer = await connection.answer()
        assert (answer.status, answer.slug) == (413, "content-too-large")
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(60):
                await trickling
    assert recording.count(CUT, semconv.CUT_UNFINISHED) == (0 if close else 1), "closed as it asked, or cut off"


async def test_the_rest_of_a_body_that_was_too_large_is_read_and_the_connection_goes_on(toy_http: Client) -> None:
    size = MAX_BODY_BYTES * 100
    async with connected(HOST, toy_http.port) as connection:
        await connection.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        assert (await connection.answer()).slug == "content-too-large"
        await connection.send(b" " * size, GET)
        assert (await connection.answer()).status == 200


async def test_a_body_that_is_waited_for_is_asked_for(toy_http: Client) -> None:
    expecting = POST + b"Expect: 100-continue\r\n"
    async with connected(HOST, toy_http.port) as connection:
        await connection.send(expecting + b"Content-Length: %d\r\n\r\n" % len(ITEM))
        assert (await connection.answer()).status == 100
        await connection.send(ITEM)
        assert (await connection.answer()).status == 201
    refused = await exchange(HOST, toy_http.port, expecting + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))
    assert refused.slug == "content-too-large", "without being asked for its body"


async def test_a_body_that_becomes_unreadable_is_refused_where_it_is_read(
    toy_http: Client, recording: Recording
) -> None:
    async with connected(HOST, toy_http.port) as connection:
        await connection.send(POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await connection.answer()).status == 100, "it is being read"
        await connection.send(b"5\r\n{    \r\nZZ\r\n")
        answer = await connection.answer()
        assert (answer.status, answer.slug) == (400, "malformed-request")
    assert recording.count(DURATION, "POST", "/v1/items", "400") == 1


async def test_requests_sent_ahead_are_answered_in_turn(toy_http: Client) -> None:
    post = POST + b"Content-Length: %d\r\n\r\n" % len(ITEM) + ITEM
    async with connected(HOST, toy_http.port) as connection:
        await connection.send(GET + post + GET + b"HELLO\r\n\r\n")
        assert [(await connection.answer()).status for _ in range(4)] == [200, 201, 200, 400]


async def test_a_client_that_only_reads_on_ends_its_connection(toy_http: Client) -> None:
    async with connected(HOST, toy_http.port) as connection:
        await connection.send(GET[:-2])
        connection.end()
        assert await connection.closed()
    assert (await toy_http.get("/v1/items")).status == 200


async def test_a_drain_waits_neither_for_half_a_head_nor_for_the_rest_of_a_body(recording: Recording) -> None:
    port = free_port()
    server = HttpServer("http server", create_app(recording, Parts()), HOST, port)
    await server.start()
    async with connected(HOST, port) as half, connected(HOST, port) as rest, connected(HOST, port) as refused:
        await half.send(GET[:-2])
        await rest.send(POST + b"Content-Length: 99999\r\n\r\n")
        assert (await rest.answer()).status == 413
        await refused.send(b"HELLO\r\n\r\n")
        assert (await refused.answer()).status == 400
        async with asyncio.timeout(60):
            await server.drain()
        assert [await each.closed() for each in (half, rest, refused)] == [True] * 3
    await server.stop()


async def test_where_there_are_no_problem_documents_the_words_are_plain() -> None:
    port = free_port()
    server = HttpServer("admin", PlainRefusals(nothing), HOST, port, "ADMIN_PORT")
    await server.start()
    answer = await exchange(HOST, port, b"HELLO\r\n\r\n")
    await server.stop()
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")


async def test_an_upgrade_that_is_not_offered_is_a_request_like_any_other(
    toy_http: Client, recording: Recording
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    async with aiohttp.ClientSession() as session, session.get(f"{toy_http.url}/v1/items", headers=upgrade) as answer:
        assert answer.status == 200
    assert not recording.log_lines
