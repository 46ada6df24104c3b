"""The tools that come with Prometheus and Alertmanager: whether this machine has them, and what to do where not."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

_PACKAGES: Final = {
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "alertmanager": "prometheus-alertmanager",
}
_OTHER_NAMES: Final = {"alertmanager": "prometheus-alertmanager"}
_REQUIRE: Final = "FAULTLINE_REQUIRE_BACKENDS"
LIMIT_S: Final = 600.0


def tool(name: str) -> str:
    """The tool's path; skips the test without it, or fails it where all tools are required."""
    found = shutil.which(name) or shutil.which(_OTHER_NAMES.get(name, name))
    if found:
        return found
    told = f"no {name} on this machine (Debian: apt-get install {_PACKAGES[name]})"
    if os.environ.get(_REQUIRE) == "1":
        pytest.fail(f"{told}, and {_REQUIRE}=1 requires it", pytrace=False)
    pytest.skip(told)


def check(name: str, *arguments: str | Path) -> str:
    """What the tool says; fails the test, with its words, when it is not content."""
    done = subprocess.run(
        [tool(name), *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{name} {' '.join(map(str, arguments))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
