import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.compose import health


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers one request; its port, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(1024))
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", True), (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False), (b"", False)],
)
def test_who_says_that_it_is_ready_is(answer: bytes, ready: bool) -> None:
    with answering(answer) as (port, asked):
        assert health.is_ready(port) is ready
    assert asked[0].startswith(b"GET /readyz HTTP/1.1\r\n")


def test_who_is_not_there_is_not_ready() -> None:
    assert not health.is_ready(closed_port())


@pytest.mark.parametrize(("answer", "code"), [(b"HTTP/1.1 200 OK\r\n\r\n", 0), (b"HTTP/1.1 503 No\r\n\r\n", 1)])
def test_as_a_container_runs_it(answer: bytes, code: int) -> None:
    with answering(answer) as (port, _):
        command = [sys.executable, "-I", "-S", health.__file__]
        assert subprocess.run(command, env={"ADMIN_PORT": str(port)}, timeout=30, check=False).returncode == code
