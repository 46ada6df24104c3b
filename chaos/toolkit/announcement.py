"""Says while a run lasts that it does, so that dashboards can mark its time. Who is killed falls silent, and is not believed."""

import logging
import re
import threading
from typing import Final, Self

from chaos.control import ControlError, ExperimentControl

log = logging.getLogger(__name__)

TTL_S: Final = 6.0
AGAIN_S: Final = 2.0
"""Often enough that one lost word does not end it."""

NO_POLICY: Final = "as-is"
"""The arm of a run that leaves the policies as they are."""


class Announcement:
    """A context manager; a run is none the worse when nobody hears it."""

    def __init__(self, control: ExperimentControl, name: str, arm: str, again_s: float = AGAIN_S) -> None:
        self._control, self._name, self._arm, self._again_s = control, name, arm or NO_POLICY, again_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcement", daemon=True)

    def __enter__(self) -> Self:
        self._say()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        try:
            self._control.over(self._name)
        except ControlError as exc:
            log.warning("the end of the run was not heard", extra={"error": str(exc)})

    def _run(self) -> None:
        while not self._ended.wait(self._again_s):
            self._say()

    def _say(self) -> None:
        try:
            self._control.runs(self._name, self._arm, TTL_S)
        except ControlError as exc:
            log.warning("nobody heard that the run goes on", extra={"error": str(exc)})


def name_of(text: str) -> str:
    """A name that metrics can carry: of `payments answers 1.5 s late` it is `payments-answers-1.5-s-late`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64] or "unnamed"
