import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from observability import semconv
from services.chassis.errors import (
    AttemptTimeoutError,
    CallError,
    DeadlineExceededError,
    MalformedAnswerError,
    PeerUnavailableError,
)
from services.chassis.http.client import HttpRequest
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from tests.integration.chassis.http_toy import Client, Parts
from tests.integration.chassis.peers import Behaviour, answers, hangs, http_client, raw_peer, with_body
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import Recording

DURATION = semconv.HTTP_CLIENT_REQUEST_DURATION


async def ask(recording: Recording, url: str, attempt_timeout: float = 60) -> None:
    async with http_client(recording, url, attempt_timeout=attempt_timeout) as client:
        await client.request("ask", HttpRequest("GET", "/v1/work"), idempotent=True)


async def hangs_within_its_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[")
    await reader.read()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    linger_for_nothing = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_nothing)
    writer.close()


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (resets, PeerUnavailableError),
        (answers(b""), PeerUnavailableError),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n["), PeerUnavailableError),
        (answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), PeerUnavailableError),
        (answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), MalformedAnswerError),
        (answers(b"\x00\x01\x02 what is this\r\n\r\n"), MalformedAnswerError),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n"), MalformedAnswerError),
        (answers(with_body(200, b"<html>")), MalformedAnswerError),
        (answers(with_body(200, b"\xff")), MalformedAnswerError),
        (answers(with_body(404, b"")), MalformedAnswerError),
        (answers(with_body(404, b"[]")), MalformedAnswerError),
        (answers(with_body(404, b'{"type": "about:blank"}')), MalformedAnswerError),
        (answers(with_body(404, b'{"type": "/problems/of-another-catalogue"}')), MalformedAnswerError),
        (answers(with_body(404, b'{"type": "/problems/not-found", "errors": 5}')), MalformedAnswerError),
        (answers(with_body(500, b"Internal Server Error")), MalformedAnswerError),
    ],
)
async def test_a_peer_that_misbehaves(recording: Recording, behave: Behaviour, error: type[CallError]) -> None:
    async with raw_peer(behave) as port:
        with pytest.raises(CallError, match="toy → peer ask: ") as caught:
            await ask(recording, f"http://{HOST}:{port}")
    assert type(caught.value) is error
    assert recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", "failure") == 1


async def test_a_peer_that_is_not_there(recording: Recording) -> None:
    with pytest.raises(PeerUnavailableError) as caught:
        await ask(recording, f"http://{HOST}:{free_port()}")
    assert caught.value.retry_after == 1.0
    assert recording.count(DURATION, "GET", "peer", "", "PeerUnavailableError") == 1


@pytest.mark.parametrize("behave", [hangs, hangs_within_its_answer])
async def test_a_peer_that_hangs_takes_no_longer_than_the_attempt_may(recording: Recording, behave: Behaviour) -> None:
    async with raw_peer(behave) as port:
        with pytest.raises(AttemptTimeoutError):
            await ask(recording, f"http://{HOST}:{port}", attempt_timeout=0.05)
    assert recording.count(DURATION, "GET", "peer", "", "AttemptTimeoutError") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", "failure") == 1


async def test_nor_than_the_deadline(recording: Recording) -> None:
    async with raw_peer(hangs) as port:
        with deadline.bound(Deadline.after(0.05)), pytest.raises(DeadlineExceededError):
            await ask(recording, f"http://{HOST}:{port}")
    assert recording.count(DURATION, "GET", "peer", "", "DeadlineExceededError") == 1


PATIENCE: list[tuple[Callable[[], Deadline], float, type[CallError]]] = [
    (lambda: Deadline.after(60), 30, AttemptTimeoutError),
    (lambda: Deadline.after(30), 60, DeadlineExceededError),
]


@pytest.mark.parametrize(("budget", "attempt_timeout", "error"), PATIENCE)
async def test_a_peer_that_says_its_time_is_spent_says_it_of_ours(
    recording: Recording, budget: Callable[[], Deadline], attempt_timeout: float, error: type[CallError]
) -> None:
    """Its clock is a little ahead of ours, for it was told whole milliseconds; the error is the same."""
    spent = answers(with_body(504, b'{"type": "/problems/deadline-exceeded"}'))
    async with raw_peer(spent) as port:
        with deadline.bound(budget()), pytest.raises(error):
            await ask(recording, f"http://{HOST}:{port}", attempt_timeout)


async def test_a_caller_that_goes_away(recording: Recording, toy_http: Client, parts: Parts) -> None:
    call = asyncio.create_task(ask(recording, toy_http.url))
    await parts.begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert recording.count(DURATION, "GET", "peer", "", "CancelledError") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", "cancelled") == 1


async def test_a_request_is_never_repeated_unseen(recording: Recording) -> None:
    """aiohttp would, on a connection that was used before and is closed under it."""
    requests = 0

    async def answers_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        for answer in (with_body(200, b"1"), b""):
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            writer.write(answer)

    async with raw_peer(answers_once) as port, http_client(recording, f"http://{HOST}:{port}") as client:
        request = HttpRequest("GET", "/")
        assert (await client.request("ask", request, idempotent=True)).body == 1
        with pytest.raises(PeerUnavailableError):
            await client.request("ask", request, idempotent=True)
    assert requests == 2
