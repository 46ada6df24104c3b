import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import ports
from deploy.errors import PortsTakenError
from deploy.ports import FreePorts, Wanted

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not ports.is_free(HOST, taken)


def test_a_port_whose_connections_linger_is_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection((HOST, port)), server.accept()[0] as accepted:
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
    assert ports.is_free(HOST, port)


def test_a_taken_port_is_named_with_its_owner(taken: int) -> None:
    with pytest.raises(PortsTakenError) as caught:
        ports.check(HOST, [Wanted(taken, "gateway-1 HTTP_PORT")])
    said = str(caught.value)
    assert said.startswith(f"port {taken} (gateway-1 HTTP_PORT) is taken by pid {os.getpid()} (")
    assert said.endswith("); end it, or use --free-ports")
    assert "\n" not in said


def test_all_taken_ports_are_named(taken: int) -> None:
    with socket.create_server((HOST, 0)) as server:
        other = server.getsockname()[1]
        with pytest.raises(PortsTakenError, match=rf"also taken: {other} \(pid {os.getpid()}\)$"):
            ports.check(HOST, [Wanted(taken, "a"), Wanted(other, "b")])


def test_free_ports_are_distinct_free_and_below_those_of_outgoing_connections() -> None:
    free = FreePorts(HOST)
    with free.claim:
        found = [free.take() for _ in range(40)]
    assert len(set(found)) == 40
    assert all(ports.is_free(HOST, each) for each in found)
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if ephemeral.exists():
        assert max(found) < int(ephemeral.read_text().split()[0])


def test_two_that_choose_at_the_same_moment_never_share_a_port() -> None:
    several = [FreePorts(HOST) for _ in range(20)]
    found = [each.take() for each in several for _ in range(5)]
    assert len(set(found)) == len(found)
    for each in several:
        each.claim.close()


def test_a_taken_port_within_the_block_is_skipped() -> None:
    free = FreePorts(HOST)
    with free.claim, socket.create_server((HOST, free.claim.getsockname()[1] + 1)) as server:
        assert free.take() == server.getsockname()[1] + 1
