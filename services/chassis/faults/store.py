"""The faults in force in this process, in memory, each gone when its time is over.

Written to from the control listener's thread and read on the event loop: readers see a whole tuple, replaced at once.
"""

import threading
from collections.abc import Callable

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.model import Fault
from services.chassis.resilience.clock import MONOTONIC, Clock

CAPACITY = 32
_DIGITS = 6  # of a sum of shares, that three thirds be one

Ended = Callable[[], None]


class Armed:
    """A fault in force: when it ends, how many requests it has touched, and who waits for its end."""

    def __init__(self, fault: Fault, clock: Clock) -> None:
        self.fault, self._clock = fault, clock
        self.expires_at = clock() + fault.ttl_s
        self.touched = 0
        self._over = False
        self._listeners: list[Ended] = []
        self._lock = threading.Lock()

    @property
    def remaining_s(self) -> float:
        """Seconds until it is gone, never below zero."""
        return 0.0 if self._over else max(0.0, self.expires_at - self._clock())

    @property
    def over(self) -> bool:
        """Whether it is gone: taken back, or its time spent."""
        return self.remaining_s <= 0

    def on_end(self, ended: Ended) -> None:
        """`ended` is called when it is over, from whichever thread ends it; at once if it is already."""
        with self._lock:
            if not self._over:
                self._listeners.append(ended)
                return
        ended()

    def forget(self, ended: Ended) -> None:
        """`ended` is not called any more."""
        with self._lock:
            if ended in self._listeners:
                self._listeners.remove(ended)

    def end(self) -> None:
        """Makes it gone now."""
        with self._lock:
            self._over = True
            listeners, self._listeners = self._listeners, []
        for ended in listeners:
            ended()


class FaultStore:
    """Falsy while there is nothing in force, which is what every request asks first.

    `changed` is called with what is left after every change.
    """

    def __init__(self, clock: Clock = MONOTONIC, changed: Callable[[tuple[Armed, ...]], None] = lambda _: None) -> None:
        self._clock, self._changed = clock, changed
        self._armed: tuple[Armed, ...] = ()
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._armed)

    def active(self) -> tuple[Armed, ...]:
        """Those in force at this moment, in the order in which they were added."""
        return tuple(each for each in self._armed if not each.over)

    def add(self, fault: Fault) -> Armed:
        """Puts it in force. Raises FaultRefusedError when its id is in use, there are too many, or they take too much."""
        with self._lock:
            self.prune()
            if any(each.fault.fault_id == fault.fault_id for each in self._armed):
                raise FaultRefusedError("id", f"{fault.fault_id!r} is in force already")
            if len(self._armed) >= CAPACITY:
                raise FaultRefusedError("id", f"{CAPACITY} faults are in force, which is the most: take one back")
            self._check_amount(fault)
            armed = Armed(fault, self._clock)
            self._keep((*self._armed, armed))
            return armed

    def remove(self, fault_id: str) -> bool:
        """Takes one back; False when there is none of that id."""
        return self._end(lambda each: each.fault.fault_id == fault_id) > 0

    def clear(self) -> int:
        """Takes all back; how many there were."""
        return self._end(lambda _: True)

    def prune(self) -> None:
        """Ends those whose time is over, so that who waits for their end hears of it."""
        if any(each.over for each in self._armed):
            self._end(lambda each: each.over)

    def _check_amount(self, fault: Fault) -> None:
        if (asked := fault.parameters.amount) is None:
            return
        others = (each.fault.parameters.amount for each in self._armed if each.fault.kind is fault.kind)
        taken = round(sum(each.value for each in others if each), _DIGITS)
        if round(taken + asked.value, _DIGITS) > asked.most:
            raise FaultRefusedError(
                f"parameters.{asked.field}",
                f"{taken:g} of the process's {asked.most:g} {asked.unit} for {fault.kind} are in force: "
                f"{asked.value:g} more are too many",
            )

    def _end(self, chosen: Callable[[Armed], bool]) -> int:
        with self._lock:
            ending = [each for each in self._armed if chosen(each)]
            in_force = sum(not each.over for each in ending)
            if ending:
                self._keep(tuple(each for each in self._armed if each not in ending))
        for each in ending:
            each.end()
        return in_force

    def _keep(self, armed: tuple[Armed, ...]) -> None:
        self._armed = armed
        self._changed(armed)
