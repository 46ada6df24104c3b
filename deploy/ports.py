"""Ports: fixed ones checked before anything is started, or free ones from a block of our own.

Free ports come from below the range that the system takes for outgoing connections, so that none of those can grab a
port between our look and the child's bind, or while a killed child is away. They are given out in blocks: whoever
listens on a block's first port (the supervisor does, for its control API) has the block, so that two copies that
start at the same moment never pick the same port.
"""

import errno
import random
import socket
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.errors import DeployError, PortsTakenError, TakenPort

if TYPE_CHECKING:
    import psutil

_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_BLOCK: Final = 64
_LINUX_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LONGEST_COMMAND: Final = 60


@dataclass(frozen=True)
class Wanted:
    """A fixed port and who wants it: `gateway-1 HTTP_PORT`."""

    port: int
    by: str


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises OSError (EADDRINUSE, EACCES) when the port cannot be had."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    # As the services do: connections of a predecessor that linger in TIME_WAIT are no obstacle.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        # With SO_REUSEADDR two may bind; only one may listen.
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


def is_free(host: str, port: int) -> bool:
    """Whether a process of this user could listen on the port now."""
    try:
        listen(host, port).close()
    except OSError as exc:
        if exc.errno in (errno.EADDRINUSE, errno.EACCES):
            return False
        raise
    return True


def check(host: str, wanted: Sequence[Wanted]) -> None:
    """Raises PortsTakenError with every port of `wanted` that is not free, and its owner where the system shows it."""
    if taken := [each for each in wanted if not is_free(host, each.port)]:
        raise _error(taken)


def claim(host: str, wanted: Wanted) -> socket.socket:
    """A socket that listens on exactly that port. Raises PortsTakenError."""
    try:
        return listen(host, wanted.port)
    except OSError as exc:
        raise _error([wanted]) from exc


class FreePorts:
    """A block of ports of our own; `claim` is the socket that holds it, listening on the block's first port."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.claim = _claim_block(host)
        first: int = self.claim.getsockname()[1]
        self._left = iter(range(first + 1, first + _BLOCK))

    def take(self) -> int:
        """The next free port of the block. Raises DeployError when it is used up."""
        for port in self._left:
            if is_free(self._host, port):
                return port
        raise DeployError(f"no free port left in a block of {_BLOCK}; start fewer replicas")


def owners(ports: Collection[int]) -> dict[int, str]:
    """Port → who listens on it, `pid 123 (python -m http.server 8080)`; without those that the system does not show."""
    import psutil  # noqa: PLC0415 -- needed only when a port is taken

    found: dict[int, str] = {}
    for process in psutil.process_iter():
        try:
            if mine := _listened(process) & set(ports):
                found |= dict.fromkeys(mine, _described(process))
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or belongs to somebody else
    return found


def _error(taken: Sequence[Wanted]) -> PortsTakenError:
    known = owners({each.port for each in taken})
    return PortsTakenError([TakenPort(each.port, each.by, known.get(each.port, "")) for each in taken])


def _listened(process: "psutil.Process") -> set[int]:
    return {each.laddr.port for each in process.net_connections("tcp") if each.status == "LISTEN"}


def _described(process: "psutil.Process") -> str:
    arguments = process.cmdline() or [process.name()]
    text = " ".join((Path(arguments[0]).name, *arguments[1:]))
    shown = text if len(text) <= _LONGEST_COMMAND else f"{text[: _LONGEST_COMMAND - 1]}…"
    return f"pid {process.pid} ({shown})"


def _claim_block(host: str) -> socket.socket:
    for first in _shuffled_blocks():
        try:
            return listen(host, first)
        except OSError:
            continue  # somebody has it; the next block is as good
    raise DeployError(f"no free block of ports between {_LOWEST} and {_upper_bound()} on {host}")


def _shuffled_blocks() -> Iterator[int]:
    firsts = list(range(_LOWEST, _upper_bound() - _BLOCK, _BLOCK))
    random.shuffle(firsts)
    yield from firsts


def _upper_bound() -> int:
    """The start of the system's range for outgoing connections (macOS: 49152), as far as it leaves room below it."""
    try:
        low = int(_LINUX_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        low = _HIGHEST
    return min(low, _HIGHEST) if low >= _LOWEST + 10 * _BLOCK else _HIGHEST
