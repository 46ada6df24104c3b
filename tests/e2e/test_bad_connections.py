"""Whatever clients do with their connections: an answer or an end, a trace, and a gateway that serves the others."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

import psutil
import pytest

from deploy.system import System, start_system
from observability import semconv
from tests.e2e.http_api import Api
from tests.e2e.metrics import samples
from tests.e2e.running import admin_url, log_lines, pid_of, shopper
from tests.e2e.topologies import IMPATIENT_REFERENCE
from tests.e2e.traces import Traces
from tests.raw_http import PATIENCE_S, RawAnswer, RawConnection, connected
from tests.waiting import eventually

GET = b"GET /problems HTTP/1.1\r\nHost: gateway\r\n\r\n"
LARGE = 100 * 1_000_000
SLOWLY_S = 0.1


class Gateway:
    """Where to connect, and what to send."""

    def __init__(self, system: System) -> None:
        self.system = system
        address = urlsplit(system.gateway_url)
        self.address = (address.hostname or "", address.port or 0)
        self._key = system.key("demo").key.encode()

    def post(self, *more: bytes) -> bytes:
        """The head of a checkout, with `more` headers."""
        known = (
            b"Host: gateway",
            b"Content-Type: application/json",
            b"Idempotency-Key: raw",
            b"X-API-Key: " + self._key,
        )
        return b"\r\n".join((b"POST /api/v1/orders HTTP/1.1", *known, *more, b"", b""))

    async def ask(self, *pieces: bytes) -> RawAnswer:
        async with connected(*self.address) as connection:
            await connection.send(*pieces)
            return await connection.answer()

    async def serves(self) -> None:
        """Returns when it serves those who ask; it may still be letting go of others."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.ask(GET)).status != 200:  # noqa: ASYNC110  # the gateway is another process
                await asyncio.sleep(SLOWLY_S)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with start_system(tmp_path_factory.mktemp("impatient"), topology=IMPATIENT_REFERENCE) as started:
        yield started


@pytest.fixture
async def gateway(impatient: System) -> AsyncIterator[Gateway]:
    """It still serves after each test, and nothing it did was a defect."""
    it = Gateway(impatient)
    yield it
    await it.serves()
    lines = log_lines(impatient, "gateway")
    assert not [line for line in lines if line["level"] == "ERROR" or "exception.stacktrace" in line]


async def trickle(connection: RawConnection, piece: bytes, pause_s: float = SLOWLY_S) -> None:
    """Sends `piece` again and again until the server takes no more."""
    with suppress(ConnectionError):
        while True:
            await connection.send(piece)
            await asyncio.sleep(pause_s)


async def answer_to(connection: RawConnection, piece: bytes, pause_s: float = SLOWLY_S) -> RawAnswer:
    """The answer that comes while `piece` is sent again and again."""
    trickling = asyncio.create_task(trickle(connection, piece, pause_s))
    try:
        return await connection.answer()
    finally:
        trickling.cancel()


@pytest.mark.parametrize(
    "sent",
    [
        b"HELLO\r\n\r\n",
        b"\r\n\r\n \r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: gateway\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: gateway\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\x00" * 1_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_told_so_and_traced(sent: bytes, gateway: Gateway) -> None:
    answer = await gateway.ask(sent)
    assert (answer.status, answer.slug) == (400, "malformed-request")
    traces = Traces(gateway.system.query_url)
    (root,) = (await asyncio.to_thread(traces.whole, answer.problem["trace_id"], "gateway")).roots
    assert root.tags[semconv.HTTP_RESPONSE_STATUS_CODE] == 400


@pytest.mark.parametrize(
    "headers",
    [[b"X-Flood-%d: 1" % each for each in range(5_000)], [b"X-Flood: " + b"x" * 5_000_000], [b"X-Flood: 1"] * 101],
    ids=["number", "size", "the same one"],
)
async def test_a_flood_of_headers_is_refused(headers: list[bytes], gateway: Gateway) -> None:
    async with connected(*gateway.address) as connection:
        sending = asyncio.create_task(connection.send(gateway.post(*headers)))
        answer = await connection.answer()
        await asyncio.gather(sending, return_exceptions=True)
    assert (answer.status, answer.slug) == (431, "headers-too-large")


async def test_slow_headers_are_refused(gateway: Gateway) -> None:
    async with connected(*gateway.address) as connection:
        await connection.send(GET[:-2])
        answer = await answer_to(connection, b"X-Slow: 1\r\n")
    assert (answer.status, answer.slug) == (408, "request-too-slow")


@pytest.mark.parametrize(
    ("framing", "piece"), [(b"Content-Length: 1000", b" "), (b"Transfer-Encoding: chunked", b"1\r\n \r\n")]
)
async def test_a_slow_body_is_refused_as_the_clients_slowness(framing: bytes, piece: bytes, gateway: Gateway) -> None:
    async with connected(*gateway.address) as connection:
        await connection.send(gateway.post(framing))
        answer = await answer_to(connection, piece)
    assert (answer.status, answer.slug) == (408, "request-too-slow")


@pytest.mark.parametrize("framing", [b"Content-Length: %d" % LARGE, b"Transfer-Encoding: chunked"])
async def test_a_body_of_100_megabytes_is_refused_and_not_kept(framing: bytes, gateway: Gateway) -> None:
    process = psutil.Process(pid_of(gateway.system, "gateway"))
    before = process.memory_info().rss
    piece = b" " * 1_000_000
    async with connected(*gateway.address) as connection:
        await connection.send(gateway.post(framing))
        piece = piece if framing.startswith(b"Content") else b"%x\r\n%b\r\n" % (len(piece), piece)
        sending = asyncio.create_task(connection.send(*[piece] * (LARGE // 1_000_000)))
        answer = await connection.answer()
        assert (answer.status, answer.slug) == (413, "content-too-large")
        await asyncio.gather(sending, return_exceptions=True)  # taken and thrown away, or cut off
    assert process.memory_info().rss - before < LARGE // 2


async def test_the_body_is_asked_for_only_where_it_is_wanted(gateway: Gateway) -> None:
    expecting = gateway.post(b"Content-Length: 2", b"Expect: 100-continue")
    async with connected(*gateway.address) as connection:
        await connection.send(expecting)
        assert (await connection.answer()).status == 100
        await connection.send(b"{}")
        assert (await connection.answer()).slug == "validation-failed"
    refused = await gateway.ask(gateway.post(b"Content-Length: %d" % LARGE, b"Expect: 100-continue"))
    assert refused.slug == "content-too-large"
    unknown = await gateway.ask(expecting.replace(b"X-API-Key", b"X-Other"))
    assert unknown.slug == "unauthenticated"


async def test_requests_sent_ahead_are_answered_in_turn(gateway: Gateway) -> None:
    body = b"[]"
    post = gateway.post(b"Content-Length: %d" % len(body)) + body
    async with connected(*gateway.address) as connection:
        await connection.send((GET + post) * 20 + b"HELLO\r\n\r\n")
        answers = [await connection.answer() for _ in range(41)]
        assert [each.status for each in answers] == [200, 422] * 20 + [400]
        connection.end()
        assert await connection.closed()


@pytest.mark.parametrize("sent", [b"", b"GET", GET[:-2], GET], ids=["nothing", "a word", "half", "whole"])
async def test_a_client_that_stops_sending_is_let_go(sent: bytes, gateway: Gateway) -> None:
    async with connected(*gateway.address) as connection:
        await connection.send(sent)
        connection.end()
        with suppress(asyncio.IncompleteReadError):
            assert (await connection.answer()).status == 200
        assert await connection.closed()


async def test_ambiguous_framing_is_refused(gateway: Gateway) -> None:
    """What two servers could read differently is read by none of them (request smuggling)."""
    for framing in (
        (b"Content-Length: 2", b"Content-Length: 3"),
        (b"Content-Length: 2, 3",),
        (b"Content-Length: +2",),
        (b"Transfer-Encoding: chunked, chunked",),
        (b"Transfer-Encoding: identity",),
        (b"Transfer-Encoding : chunked",),
    ):
        answer = await gateway.ask(gateway.post(*framing), b"{}\r\n\r\n")
        assert (answer.status, answer.slug) == (400, "malformed-request"), framing


async def test_many_that_hold_their_connections_are_told_and_let_go(gateway: Gateway) -> None:
    """Half a request on each, far more than are served at a time: who was there is served on, and soon all are."""
    async with connected(*gateway.address) as there, AsyncExitStack() as crowd:
        await there.send(GET)
        assert (await there.answer()).status == 200
        held = [await crowd.enter_async_context(connected(*gateway.address)) for _ in range(60)]
        for connection in held:
            await connection.send(GET[:-2])
        await there.send(GET)
        assert (await there.answer()).status == 200
        for connection in held:
            answer = await connection.answer()
            assert (answer.status, answer.slug) == (408, "request-too-slow")


def test_what_was_refused_unread_is_measured(impatient: System) -> None:
    """Under no method and no route, as none is known."""
    before = unread(impatient)
    api = Api(impatient.gateway_url)
    answer = api.request("GET", "/problems", {"X-Flood": "x" * 1_000_000})
    assert answer.status == 431
    assert shopper(impatient).get("/api/v1/products").status == 200

    def check() -> None:
        assert unread(impatient) == before + 1

    eventually(check)


def unread(system: System) -> float:
    name = f"{semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name}_count"
    labels = {"http_request_method": "_OTHER", "http_route": "", "http_response_status_code": "431"}
    return sum(each.value for each in samples(admin_url(system, "gateway"), name, **labels))
