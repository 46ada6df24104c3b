"""How `make test` shares the tests out to its workers.

What uses one running system stays together. What takes longest comes first, so that no worker is left alone with it at
the end; xdist by itself begins with the files that have most tests, which are the quick ones.
"""

import re
from pathlib import PurePosixPath
from typing import Final

from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST: Final = (
    "tests/e2e/test_experiments.py",
    "tests/e2e/test_alerts.py",
    "tests/e2e/test_outages.py",
    "tests/e2e/checkout",
    "tests/e2e/test_demo.py",
    "tests/e2e",
    "tests/browser",
    "tests/integration",
    "tests/contract",
    "tests",
)
USERS_OF_THE_SESSIONS_SYSTEM: Final = frozenset(
    f"tests/{name}.py"
    for name in (
        "browser/test_api_pages",
        "browser/test_trace_page",
        *(
            f"e2e/test_{each}"
            for each in (
                "attribute_names",
                "bad_input",
                "call_edges",
                "command",
                "generated_http",
                "load_shedding",
                "secrets",
                "signal_matrix",
            )
        ),
    )
)
"""What uses the fixture `system`: in several workers each would start one."""

_CHECKOUT: Final = PurePosixPath("tests/e2e/checkout")
_SYSTEMS_OF_THEIR_OWN: Final = _CHECKOUT / "test_kills.py"


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist brings no types
    """Hands out the units of `unit_of`."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """What runs in one worker: a file; or what shares a system, which of the checkouts is what shares its databases."""
    file = PurePosixPath(nodeid.split("::", 1)[0])
    if str(file) in USERS_OF_THE_SESSIONS_SYSTEM:
        return "the session's system"
    if not file.is_relative_to(_CHECKOUT):
        return str(file)
    kind = re.search("sqlite|postgresql", nodeid)
    return f"{file if file == _SYSTEMS_OF_THEIR_OWN else _CHECKOUT} {kind[0] if kind else ''}"


def place_of(nodeid: str) -> int:
    """The sooner it begins, the smaller."""
    file = PurePosixPath(nodeid.split("::", 1)[0])
    return next(place for place, each in enumerate(LONGEST_FIRST) if file.is_relative_to(each))


def workers(cores: int) -> int:
    """One more than there are cores: of the time that a test takes, it spends a third waiting."""
    return cores + 1
