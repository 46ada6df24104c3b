"""Listening sockets, with an error that names the culprit."""

import errno
import socket
from typing import Final

EX_UNAVAILABLE: Final = 69
"""Exit code of a process whose port is taken (sysexits.h)."""


class PortTakenError(Exception):
    """Something else listens where the backend was told to; `setting` is the key that chose the port."""

    def __init__(self, setting: str, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is already in use (setting {setting})")
        self.setting, self.host, self.port = setting, host, port


class AddressError(Exception):
    """The address to listen on is none of this machine's."""


def bind(setting: str, host: str, port: int) -> socket.socket:
    """A bound TCP socket, not yet listening; port 0 takes a free one. Raises PortTakenError, AddressError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only on sockets that say they are TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Lets a restarted process bind while connections of its predecessor linger in TIME_WAIT.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as exc:
        sock.close()
        if exc.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTakenError(setting, host, port) from exc
        raise AddressError(f"BIND_HOST: cannot listen on {host}: {exc.strerror}") from exc
    return sock
