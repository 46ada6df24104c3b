"""Faults of the whole process: its event loop blocked, a core burnt, memory held. Each ends by itself at its TTL.

All of it runs where the control listener, in a thread with a loop of its own, can still take it back: nothing here keeps
the interpreter for longer than a moment.
"""

import asyncio
import logging
import mmap
import threading
import time
from typing import Final

from services.chassis.faults.evidence import Evidence, about
from services.chassis.faults.kinds import Kind
from services.chassis.faults.parameters import CpuBurn, MemoryHold
from services.chassis.faults.store import Armed

log = logging.getLogger(__name__)

_SLICE_S: Final = 0.02
_MIB: Final = 1 << 20


class ProcessFaults:
    """Begins them. `loop` is the one that requests are served on."""

    def __init__(self, evidence: Evidence, loop: asyncio.AbstractEventLoop) -> None:
        self._evidence, self._loop = evidence, loop

    def begin(self, armed: Armed) -> None:
        """To be called once it is in force, from any thread; returns at once."""
        if armed.fault.kind is Kind.EVENT_LOOP_BLOCK:
            self._loop.call_soon_threadsafe(self._run, armed)
        else:
            threading.Thread(target=self._run, args=(armed,), name=f"fault {armed.fault.fault_id}", daemon=True).start()

    def _run(self, armed: Armed) -> None:
        ended = threading.Event()
        armed.on_end(ended.set)
        self._evidence.injected(armed)
        match armed.fault.parameters:
            case CpuBurn(share):
                burn(armed, ended, share)
            case MemoryHold(mib):
                hold(armed, ended, mib)
            case _:
                ended.wait(armed.remaining_s)  # on the event loop, and so it blocks: that is the fault
        log.info("fault of the process is over", extra=about(armed.fault))


def burn(armed: Armed, ended: threading.Event, share: float) -> None:
    """Keeps one core busy for this share of each moment."""
    while not (ended.is_set() or armed.over):
        busy_until = time.monotonic() + share * _SLICE_S
        while time.monotonic() < busy_until:
            pass
        ended.wait((1 - share) * _SLICE_S)


def hold(armed: Armed, ended: threading.Event, mib: int) -> None:
    """Holds memory that is really there: every page of it is written to, a piece at a time."""
    with mmap.mmap(-1, mib * _MIB) as held:
        for piece in range(0, mib * _MIB, _MIB):
            if ended.is_set():
                break
            held[piece : piece + _MIB] = b"\x01" * _MIB
        ended.wait(armed.remaining_s)
