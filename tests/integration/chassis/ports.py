"""Ports for the tests: free ones, and ones that are taken."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.errors import PortTakenError
from services.chassis.listener import bind

HOST = "127.0.0.1"

_random = random.Random()


def free_port() -> int:
    """A port that nobody listens on, from below the range that outgoing connections are given theirs from."""
    while True:
        port = _random.randrange(20_000, 32_000)
        try:
            bind("TEST", HOST, port).close()
        except PortTakenError:
            continue
        return port


@contextmanager
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        yield port
