"""An HTTP client that sends bytes as it is told, and reads what is answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0
"""Far longer than any answer takes: who waits that long has met a hang."""


@dataclass(frozen=True)
class RawAnswer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document that it must be, which names the answer's trace."""
        assert self.headers["content-type"] == "application/problem+json", self
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        assert found["trace_id"] == self.headers["x-trace-id"]
        return found

    @property
    def slug(self) -> str:
        """Of the problem that it must be."""
        return str(self.problem["type"]).removeprefix("/problems/")


class RawConnection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        """Sends them one after the other. Raises ConnectionError once the server takes no more."""
        for piece in pieces:
            self._writer.write(piece)
            async with asyncio.timeout(PATIENCE_S):
                await self._writer.drain()

    def end(self) -> None:
        """Sends nothing more, and goes on reading."""
        self._writer.write_eof()

    async def answer(self) -> RawAnswer:
        """The next answer, an interim one (1xx) too. Raises IncompleteReadError when the connection ends before."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return RawAnswer(int(status_line.split()[1]), headers, body)

    async def closed(self) -> bool:
        """Waits for the server to close, which must not say anything more."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[RawConnection]:
    """A connection for the block."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.transport.abort()


async def exchange(host: str, port: int, *pieces: bytes) -> RawAnswer:
    """Sends them on a connection of their own and returns the first answer."""
    async with connected(host, port) as connection:
        await connection.send(*pieces)
        return await connection.answer()
