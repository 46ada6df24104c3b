"""`python -m deploy.programs.install` (`make backends`): installs what this machine can have, and says what it did.

Prometheus and Alertmanager are Debian's packages, for root; Jaeger is built from its Go module, once for each version, into
the user's cache. What is there already is left as it is. Ends with 1 when something was tried and went wrong; what this
machine cannot have is said, and no failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.programs.catalogue import ALERTMANAGER, JAEGER, JAEGER_VERSION, PROGRAMS, PROMETHEUS
from deploy.programs.finding import built_jaeger, find
from observability import stack

_PACKAGES: Final = {PROMETHEUS: "prometheus", ALERTMANAGER: "prometheus-alertmanager"}
"""Debian's, by program. The first brings `promtool`, the second `amtool`."""
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_GO_MODULE: Final = Path(stack.__file__).parent / "jaeger" / "go"
_MAIN: Final = "github.com/jaegertracing/jaeger/cmd/jaeger"
_VERSION_IN: Final = "github.com/jaegertracing/jaeger/internal/version.latestVersion"
_LEAST_GO: Final = (1, 24, 6)


class _NotHereError(Exception):
    """This machine cannot have it; the text says what is missing."""


class _FailedError(Exception):
    """It was tried, and went wrong."""


def main() -> int:
    """The exit code."""
    failed = [not _go_on(_packages), not _go_on(_jaeger)]
    for name in PROGRAMS:
        _say(f"{name:<12}  {find(PROGRAMS[name]) or 'not here'}")
    return int(any(failed))


def _go_on(step: Callable[[], None]) -> bool:
    """False when it went wrong."""
    try:
        step()
    except _NotHereError as exc:
        _say(str(exc))
    except _FailedError as exc:
        _say(f"failed: {exc}")
        return False
    return True


# --- Debian's packages -------------------------------------------------------------------------------------------


def _packages() -> None:
    missing = [package for name, package in _PACKAGES.items() if find(PROGRAMS[name]) is None]
    if not missing:
        return
    wanted = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise _NotHereError(f"{wanted}: no apt-get here; put `prometheus` and `alertmanager` on the PATH")
    if os.geteuid() != 0:
        raise _NotHereError(f"{wanted}: only root may install packages: apt-get install {wanted}")
    _say(f"installing {wanted}")
    with _no_service_started():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = ("apt-get", "--quiet", "--quiet")
        _run([*quiet, "update"], environment)
        _run([*quiet, "install", "--yes", "--no-install-recommends", *missing], environment)
    _disable(missing)


@contextmanager
def _no_service_started() -> Iterator[None]:
    """Debian starts what it installs, unless this file says no (invoke-rc.d); whoever has one has decided already."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _disable(services: Sequence[str]) -> None:
    """Nor are they started when the machine is: they would have the ports that ours want."""
    if Path("/run/systemd/system").is_dir():
        _run(["systemctl", "disable", "--quiet", *services], os.environ)


# --- Jaeger ------------------------------------------------------------------------------------------------------


def _jaeger() -> None:
    if find(PROGRAMS[JAEGER]):
        return
    go = _go()
    if not _GO_MODULE.is_dir():
        raise _NotHereError("jaeger: its Go module is only in a checkout")
    file = built_jaeger()
    _say(f"building Jaeger {JAEGER_VERSION}; on two cores it takes some five minutes")
    file.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that it is there as a whole or not at all, whoever else builds or starts one now.
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        built = Path(folder) / JAEGER
        flags = f"-s -w -X {_VERSION_IN}=v{JAEGER_VERSION}"
        command = [
            go,
            "build",
            "-C",
            str(_GO_MODULE),
            "-mod=readonly",
            "-buildvcs=false",
            "-trimpath",
            f"-ldflags={flags}",
        ]
        _run([*command, "-o", str(built), _MAIN], {**os.environ, "CGO_ENABLED": "0"})
        built.replace(file)


def _go() -> str:
    """The Go command. Raises _NotHereError where there is none, or too old a one."""
    wanted = ".".join(map(str, _LEAST_GO))
    go = shutil.which("go")
    if go is None:
        raise _NotHereError(f"jaeger: to build it takes Go {wanted} or newer; or put a `jaeger` 2.x on the PATH")
    told = _run([go, "env", "GOVERSION"], os.environ)
    if _version(told) < _LEAST_GO:
        raise _NotHereError(f"jaeger: {go} is {told}; to build it takes {wanted} or newer")
    return go


def _version(told: str) -> tuple[int, ...]:
    """`go1.26.8` → (1, 26, 8); what is no number is the newest."""
    numbers = told.removeprefix("go").split(".")
    return tuple(int(each) if each.isdecimal() else sys.maxsize for each in numbers)


# --- both --------------------------------------------------------------------------------------------------------


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What it writes to standard output. Raises _FailedError with its last words."""
    ended = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()[-5:]
        raise _FailedError(f"{' '.join(command[:3])} … ended with {ended.returncode}: {' | '.join(words)}")
    return ended.stdout.strip()


def _say(text: str) -> None:
    print(f"backends  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
