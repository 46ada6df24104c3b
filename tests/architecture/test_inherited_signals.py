"""Tests that were started with signals ignored start processes that signals end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import inherited_signals

STARTER = """
import signal, subprocess, sys
from tests import inherited_signals
number = int(sys.argv[1])
signal.signal(number, signal.SIG_IGN)
inherited_signals.keep_from_others()
signal.raise_signal(number)
started = subprocess.run([sys.executable, "-c", f"import signal; signal.raise_signal({number})"], stderr=subprocess.DEVNULL)
print(started.returncode)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_who_goes_on_at_a_signal_starts_those_that_end_by_it(number: signal.Signals, checkout: Path) -> None:
    starter = [sys.executable, "-c", STARTER, str(int(number))]
    ended = subprocess.run(starter, cwd=checkout, capture_output=True, text=True, timeout=60, check=True)
    assert int(ended.stdout) == -number


def test_ctrl_c_in_a_terminal_ends_the_tests_as_ever() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        inherited_signals.keep_from_others()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
