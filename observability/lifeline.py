"""The lifeline: a pipe whose other end only the supervisor holds.

When the supervisor dies, however it dies, the pipe reads end-of-file, and the process ends itself: no supervisor, no
process left behind, nor telemetry that nobody looks at.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable


def watch(fd: int, on_cut: Callable[[], object], grace: float) -> None:
    """Calls `on_cut` from a thread at end-of-file; ends the process if it still runs `grace` seconds later.

    Raises OSError when `fd` is not open: nobody would ever notice the cut.
    """
    os.set_blocking(fd, True)

    def wait() -> None:
        while os.read(fd, 1024):
            pass
        timer = threading.Timer(grace, os._exit, args=(1,))
        timer.daemon = True
        timer.start()
        on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def told_to_end(fd: int | None, grace: float) -> asyncio.Event:
    """An event of the running loop, set by SIGTERM, by SIGINT, and when the lifeline is cut (see `watch`)."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if fd is not None:
        watch(fd, lambda: loop.call_soon_threadsafe(told.set), grace)
    return told
