"""What a killed supervisor left: its children, until they notice.

They end by themselves when their lifeline is cut, within their drain timeout. Whoever starts or ends a system on the
same state folder waits for that here, and kills what did not notice. A pid alone may be a stranger's by now, so the
file holds the time of birth too.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import psutil

from deploy.errors import StateError
from deploy.supervisor.state import StateFolder, read_json, write_json

_SAME_BIRTH_S: Final = 2.0  # the system derives it from its boot time, which moves when the clock is set
_POLL_S: Final = 0.05
_AFTER_KILL_S: Final = 5.0


def record(state: StateFolder, pids: Iterable[int]) -> None:
    """Writes `children.json`. Raises StateError."""
    births = ((pid, born(pid)) for pid in pids)
    write_json(state.children_file, [{"pid": pid, "born": at} for pid, at in births if at is not None])


def find(state: StateFolder) -> list[int]:
    """Pids of the children in `children.json` that still run. Raises StateError."""
    try:
        return [each["pid"] for each in read_json(state.children_file) or () if is_same(each["pid"], each["born"])]
    except (TypeError, KeyError) as exc:
        raise StateError(f"{state.children_file}: not a supervisor's file; delete it") from exc


def end(state: StateFolder, patience_s: float) -> int:
    """Waits until they are gone, no longer than that; kills the rest. How many there were; blocks."""
    pids = find(state)
    if not _gone(state, patience_s):
        for pid in find(state):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        _gone(state, _AFTER_KILL_S)
    if state.children_file.exists():
        state.children_file.unlink()
    return len(pids)


def born(pid: int) -> float | None:
    """When the process was born, in seconds since 1970; None when there is none, or only its zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_same(pid: int, born_at: float) -> bool:
    """Whether that process still runs, and the pid is not somebody else's by now."""
    at = born(pid)
    return at is not None and abs(at - born_at) < _SAME_BIRTH_S


def _gone(state: StateFolder, patience_s: float) -> bool:
    """They are not our children, so that their end cannot be awaited, only seen."""
    give_up = time.monotonic() + patience_s
    while left := find(state):
        if time.monotonic() > give_up:
            break
        time.sleep(_POLL_S)
    return not left
