"""When a process that ended is started again, and when it is given up. Pure."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """Limits of restarting; times in seconds.

    The wait doubles from `base_s` to `cap_s` and starts anew once the process was ready for `reset_after_s`.
    A process that never was ready is given up after `start_attempts`, one that lost its port after `port_attempts`.
    One that does not answer at all `hung_after_s` after its start is killed; one that is told to end has `grace_s`.
    """

    base_s: float = 0.1
    cap_s: float = 10.0
    reset_after_s: float = 5.0
    start_attempts: int = 3
    port_attempts: int = 5
    hung_after_s: float = 60.0
    grace_s: float = 13.0

    def __post_init__(self) -> None:
        if not 0 < self.base_s <= self.cap_s:
            raise ValueError(f"base_s: {self.base_s} is not above 0 and at most cap_s ({self.cap_s})")
        if min(self.start_attempts, self.port_attempts) < 1:
            raise ValueError("start_attempts, port_attempts: at least 1")


@dataclass(frozen=True)
class Ended:
    """How one life of a process ended. `code` is negative for a signal; `ready_for_s` None when it never was ready."""

    pid: int | None
    code: int
    last_words: str
    ready_for_s: float | None


class Restarts:
    """Remembers the ends of one process and decides what follows from the next."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._was_ever_ready = False
        self._failures = 0

    def after(self, end: Ended) -> float | None:
        """Seconds until the next start; None: give up."""
        self._count(end)
        if end.ready_for_s is None and self._is_hopeless(end.code):
            return None
        # Above 2**20 times the base every cap is reached; a bigger power would only overflow.
        wait: float = self._policy.base_s * 2 ** min(self._failures - 1, 20)
        return min(self._policy.cap_s, wait)

    def forgive(self) -> None:
        """Somebody asks for another try: as if it had never failed."""
        self._failures = 0

    def _count(self, end: Ended) -> None:
        lasted = end.ready_for_s is not None and end.ready_for_s >= self._policy.reset_after_s
        self._failures = 1 if lasted else self._failures + 1
        self._was_ever_ready = self._was_ever_ready or end.ready_for_s is not None

    def _is_hopeless(self, code: int) -> bool:
        """Whether another start would only fail again: wrong settings stay wrong; a port may come free."""
        if code == os.EX_CONFIG:
            return True
        if code == os.EX_UNAVAILABLE:
            return not self._was_ever_ready or self._failures >= self._policy.port_attempts
        return not self._was_ever_ready and self._failures >= self._policy.start_attempts
