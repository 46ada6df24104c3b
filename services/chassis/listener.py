"""Binding a listening socket, with an error that names the culprit."""

import errno
import socket

from services.chassis.errors import PortTakenError, SettingsError

EX_UNAVAILABLE = 69
"""Exit code of a process whose port is taken (sysexits.h)."""


def bind(setting: str, host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises: PortTakenError, naming `setting`, when the port is in use; SettingsError when it is one of
    those that only root may use, or `host` is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only on sockets that say they are TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Lets a restarted process bind while connections of its predecessor linger in TIME_WAIT.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen()  # here already: two sockets can be bound to one port, but not listen at it
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRINUSE:
            raise PortTakenError(setting, host, port) from exc
        culprit = setting if exc.errno == errno.EACCES else "BIND_HOST"
        reason = f"cannot listen on {host}:{port}: {exc.strerror}"
        raise SettingsError(f"wrong settings:\n  {culprit}: {reason}") from exc
    return sock
