"""When garbage is looked for. In a process of its own, as it is the whole process's."""

import subprocess
import sys
from pathlib import Path

_LIFE = """
import gc
from observability import garbage

usual = gc.get_threshold()
garbage.hold_back()
assert gc.isenabled() and gc.get_threshold()[0] > 100 * usual[0]
kept = [[number] for number in range(1000)]
assert gc.get_freeze_count() == 0
garbage.settle()
assert gc.get_freeze_count() > 1000
assert gc.isenabled() and gc.get_threshold() == usual
kept.clear()
loop = []
loop.append(loop)
del loop
assert gc.collect() >= 1
"""


def test_it_is_held_back_until_the_process_has_settled(checkout: Path) -> None:
    subprocess.run([sys.executable, "-c", _LIFE], cwd=checkout, check=True)
