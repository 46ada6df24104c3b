"""Asks a process whether it is ready: one small HTTP request, without a client library in the supervisor."""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from deploy.topology import ADMIN, Readiness

_LONGEST_ANSWER: Final = 8192
_LONGEST_DETAIL: Final = 200


@dataclass(frozen=True)
class Probe:
    """`status` is the HTTP status, None when there was no answer; `detail` says why it is not 200."""

    status: int | None
    detail: str = ""

    @property
    def ready(self) -> bool:
        return self.status == 200


async def probe(host: str, port: int, readiness: Readiness = ADMIN, timeout_s: float = 1.0) -> Probe:
    """Asks at `port`, which is the one of `readiness.listener`. Never raises for a peer that is away, slow or not HTTP."""
    where = f"{readiness.listener} {port}"
    try:
        async with asyncio.timeout(timeout_s):
            return _parse(await _ask(host, port, readiness.path), readiness)
    except TimeoutError:
        return Probe(None, f"no answer on {where} within {timeout_s:g} s")
    except OSError:
        return Probe(None, f"nobody listens on {where}")


async def _ask(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return await _read_to_end(reader)
    finally:
        writer.close()


async def _read_to_end(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < _LONGEST_ANSWER and (chunk := await reader.read(_LONGEST_ANSWER)):
        answer += chunk
    return answer


def _parse(answer: bytes, readiness: Readiness) -> Probe:
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[1].isdigit():
        return Probe(None, f"the answer on {readiness.listener} is not HTTP")
    status = int(words[1])
    return Probe(status, "" if status == 200 else f"{readiness.path} answers {status}: {_readable(body)}")


def _readable(body: bytes) -> str:
    """The answer in one line; of the chassis's `{"checks": {name: "ok" | reason}}` only what is not fine."""
    try:
        checks = json.loads(body)["checks"]
        return ", ".join(f"{name}: {said}" for name, said in checks.items() if said != "ok")
    except (ValueError, TypeError, KeyError, AttributeError):
        return " ".join(body.decode(errors="replace").split())[:_LONGEST_DETAIL]
