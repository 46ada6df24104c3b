"""Checks out over and over on a few connections, each as soon as the last one is answered: raw sockets."""

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Final

from deploy.bench.figure import FigureRefusedError

_CONNECTIONS: Final = 2
_PATIENCE_S: Final = 60.0
_BODY: Final = b'{"lines": [{"product_id": "p-0001", "quantity": 1}], "payment_method": "pm_card_visa"}'
_MOST_OTHERS: Final = 0.1
"""The share of checkouts that may end otherwise than confirmed, as some do where everything is busy."""


@dataclass(frozen=True)
class Checkouts:
    """So many were confirmed within `seconds`."""

    confirmed: int
    seconds: float


async def check_out_for(host: str, port: int, key: str, seconds: float) -> Checkouts:
    """Checks out for so many seconds. Raises FigureRefusedError where too many are not confirmed."""
    statuses, began = list[bytes](), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_CONNECTIONS):
            tasks.create_task(_check_out(host, port, key, began + seconds, statuses))
    confirmed = statuses.count(b"201")
    if confirmed < len(statuses) * (1 - _MOST_OTHERS):
        raise FigureRefusedError(f"of {len(statuses)} checkouts only {confirmed} were confirmed")
    return Checkouts(confirmed, time.perf_counter() - began)


async def _check_out(host: str, port: int, key: str, until: float, statuses: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    async with asyncio.timeout(_PATIENCE_S + until - time.perf_counter()):
        while time.perf_counter() < until:
            writer.write(_request(key))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            statuses.append(head.split(b" ", 2)[1])
    writer.close()


def _request(key: str) -> bytes:
    lines = [
        "POST /api/v1/orders HTTP/1.1",
        "host: bench",
        f"x-api-key: {key}",
        f"idempotency-key: {uuid.uuid4()}",
        "content-type: application/json",
        f"content-length: {len(_BODY)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + _BODY


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name == b"content-length")
