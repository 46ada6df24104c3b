"""`python -m deploy.supervisor.run_child MODULE`: runs a module as `python -m MODULE` would, never stopped for ever.

A stopped process cannot notice that its lifeline is cut. When its supervisor dies, the kernel wakes it because its
process group is orphaned; but not when it is only about to stop at that moment, nor when whoever adopts it belongs to
the same session (a container's first process). Linux can send a process a signal at its parent's death: here SIGCONT,
which does nothing to one that runs. It must be asked for by the process itself, before anything else.

And no garbage is looked for until the module, once started, calls `observability.garbage.settle`.
"""

import ctypes
import runpy
import signal
import sys

from observability import garbage

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def wake_at_parents_death() -> None:
    """Does nothing where the system is not Linux, and the orphaned group has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT.value, 0, 0, 0)


if __name__ == "__main__":
    wake_at_parents_death()
    garbage.hold_back()
    module = sys.argv.pop(1)
    sys.argv[0] = module
    runpy.run_module(module, run_name="__main__", alter_sys=True)
