"""Asks one path over and over on a few connections, with as little work of its own as can be: raw sockets.

Each connection asks again as soon as it is answered, so that the server always has work.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Final, cast

from deploy.bench.figure import FigureRefusedError

HOST: Final = "127.0.0.1"
_CONNECTIONS: Final = 16
_PATIENCE_S: Final = 60.0
_OK: Final = b"HTTP/1.1 200 "


@dataclass(frozen=True)
class Load:
    """`answers` came within `seconds`, which took the one who asked `own_s` of processor time."""

    answers: int
    seconds: float
    own_s: float


async def ask_for(port: int, path: str, seconds: float) -> Load:
    """Asks for so many seconds, and until there is an answer. Raises FigureRefusedError for any answer but 200."""
    size = len(await _exchange(port, path))
    asking = _Asking(_request(path), size)
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(lambda: _Connection(asking), HOST, port) for _ in range(_CONNECTIONS)]
    asking.answered.clear()
    began, own, before = time.perf_counter(), time.thread_time(), asking.answers
    await asyncio.sleep(seconds)
    async with asyncio.timeout(_PATIENCE_S):
        await asking.answered.wait()
    load = Load(asking.answers - before, time.perf_counter() - began, time.thread_time() - own)
    for transport, _ in pairs:
        transport.abort()
    if asking.wrong:
        raise FigureRefusedError(f"the server answered {asking.wrong!r}")
    return load


async def ask_once(port: int, path: str) -> Any:
    """The JSON of one answer."""
    return json.loads((await _exchange(port, path)).partition(b"\r\n\r\n")[2])


def _request(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: hop", "user-agent: hop", *headers, "", ""]).encode()


async def _exchange(port: int, path: str) -> bytes:
    """The bytes of a whole answer."""
    async with asyncio.timeout(_PATIENCE_S):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(_request(path))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        body = await reader.readexactly(int(length))
    writer.close()
    if not head.startswith(_OK):
        raise FigureRefusedError(f"the server answered {head.partition(bytes([13]))[0]!r}")
    return head + body


class _Asking:
    """What all connections share. Answers are known by their size, `size` bytes each, as all are alike."""

    def __init__(self, request: bytes, size: int) -> None:
        self.request, self.size = request, size
        self.answers, self.wrong = 0, b""
        self.answered = asyncio.Event()


class _Connection(asyncio.Protocol):
    def __init__(self, asking: _Asking) -> None:
        self._asking, self._taken = asking, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._asking.request)

    def data_received(self, data: bytes) -> None:
        if not self._taken and not data.startswith(_OK):
            self._asking.wrong = data[:40]
        self._taken += len(data)
        if self._taken >= self._asking.size:
            self._taken = 0
            self._asking.answers += 1
            self._asking.answered.set()
            self._transport.write(self._asking.request)
