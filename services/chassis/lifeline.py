"""The lifeline: a pipe whose other end only the supervisor holds.

When the supervisor dies, however it dies, the pipe reads end-of-file, and the process ends itself:
no supervisor, no service left behind.
"""

import os
import threading
from collections.abc import Callable

from services.chassis.errors import SettingsError


def watch(fd: int, on_cut: Callable[[], None], grace: float) -> None:
    """Calls `on_cut` from a thread at end-of-file; ends the process if it still runs `grace` seconds later.

    Raises: SettingsError when `fd` is not open: nobody would ever notice the cut.
    """
    try:
        os.set_blocking(fd, True)
    except OSError as exc:
        raise SettingsError(f"wrong settings:\n  LIFELINE_FD: {exc.strerror}") from exc

    def wait() -> None:
        while os.read(fd, 1024):
            pass
        timer = threading.Timer(grace, os._exit, args=(1,))
        timer.daemon = True
        timer.start()
        on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
