"""Programs that are not ours: whether this machine has them, and what to do where it has not."""

import os

import pytest

from deploy.programs.catalogue import PROGRAMS
from deploy.programs.finding import find

REQUIRE = "FAULTLINE_REQUIRE_BACKENDS"
READY_WITHIN_S = 180.0
"""A system with all of them is a dozen processes, on a machine that may be busy."""


def found() -> tuple[str, ...]:
    """Names of those that this machine has."""
    return tuple(name for name, program in PROGRAMS.items() if find(program) is not None)


def need(name: str) -> None:
    """Skips the test where the program is not here, saying so; fails it where all of them are required."""
    if name in found():
        return
    told = f"no {name} on this machine; `make backends` installs what it can"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{told}, and {REQUIRE}=1 requires it", pytrace=False)
    pytest.skip(told)
