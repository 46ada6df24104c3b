"""Ends a program that knows no lifeline. `python guard.py LIFELINE_FD ALIVE_FD PID DRAIN_S`, as the program's child.

At the lifeline's end of file the supervisor is gone: the program is told to end (SIGTERM, woken if it is stopped), and
killed when it still runs `DRAIN_S` later. `ALIVE_FD` is a pipe whose other end the program has: at its end of file the
program is gone, and so is the guard. Nothing is imported that isn't Python's own, as there is one for each program.
"""

import os
import select
import signal
import sys


def main(lifeline: int, alive: int, pid: int, drain_s: float) -> None:
    """Returns when the program is gone, or was killed."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # the group's, of which we are: not meant for us
        signal.signal(number, signal.SIG_IGN)
    if not _cut_before_end(lifeline, alive):
        return
    _send(pid, signal.SIGTERM, signal.SIGCONT)
    if not select.select([alive], [], [], drain_s)[0]:
        _send(pid, signal.SIGKILL)


def _cut_before_end(lifeline: int, alive: int) -> bool:
    while True:
        readable = select.select([lifeline, alive], [], [])[0]
        if alive in readable:
            return False
        if not os.read(lifeline, 1024):
            return True


def _send(pid: int, *numbers: signal.Signals) -> None:
    for number in numbers:
        if os.getppid() == pid:  # else it is gone, and the number may be a stranger's
            os.kill(pid, number)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
