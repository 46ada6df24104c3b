"""Adopts, in its own session, a stopped child whose parent was killed, as a container's first process does.

Prints `drained` lines of the child and, when that has ended, its exit code. Linux only.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import psutil

from tests.integration.supervisor.waiting import until

_PR_SET_CHILD_SUBREAPER = 36
_TINY = [sys.executable, "-m", "deploy.supervisor.run_child", "tests.integration.supervisor.tiny"]


def main(arguments: Sequence[str]) -> None:
    if arguments:
        be_parent()
    else:
        adopt()


def be_parent() -> None:
    """Holds the child's lifeline, as a supervisor does."""
    read_end, _ = os.pipe()
    settings = {
        "LIFELINE_FD": str(read_end),
        "BIND_HOST": "127.0.0.1",
        "ADMIN_PORT": "0",
        "SERVICE_INSTANCE_ID": "tiny-1",
    }
    child = subprocess.Popen(_TINY, env={**os.environ, **settings}, pass_fds=(read_end,), process_group=0)
    child.wait()


def adopt() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent = subprocess.Popen([sys.executable, "-m", __spec__.name, "parent"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert "serving" in parent.stdout.readline()
    [child] = psutil.Process(parent.pid).children()
    child.send_signal(signal.SIGSTOP)
    until(lambda: child.status() == psutil.STATUS_STOPPED)
    parent.kill()
    parent.wait()
    _, status = os.waitpid(child.pid, 0)
    print(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1:])
