"""Closing a connection so that the last answer on it arrives.

Closing a socket at which unread data arrives makes the system reset the connection, and the client may lose the answer
that it has not read yet. So the sending half is closed first, and what still comes is read and thrown away for a
while (RFC 9112, section 9.6).
"""

import asyncio
from collections.abc import Callable
from typing import Any


class Lingering:
    """A transport whose `close` lingers for `seconds` if the client is `still_sending()`; all else goes to `transport`.

    While it lingers, `is_closing()` is True and whoever is given the data throws it away.
    """

    def __init__(self, transport: asyncio.Transport, still_sending: Callable[[], bool], seconds: float) -> None:
        self._transport, self._still_sending, self._seconds = transport, still_sending, seconds
        self._end: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._end is not None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport.is_closing() or not self._still_sending():
            self._transport.close()
        elif self._end is None:
            self._linger()

    def _linger(self) -> None:
        self._end = asyncio.get_running_loop().call_later(self._seconds, self._transport.abort)
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset it: nobody is left to read anything
            self._transport.abort()
        self._transport.resume_reading()

    def lost(self) -> None:
        """The connection is gone: there is nothing more to wait for."""
        if self._end:
            self._end.cancel()

    def hurry(self) -> None:
        """Lingers no longer, nor later."""
        self._seconds = 0.0
        if self._end:
            self._transport.abort()
