"""The record of a run: all that was asked for, found and decided, as one JSON file that the next run is compared with."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from chaos.runs.errors import RecordError

VERSION: Final = 1
FILE: Final = "record.json"
_CHECKOUT: Final = Path(__file__).resolve().parents[2]

Record = dict[str, Any]
"""`version, experiment{name, title, summary, edge}, began_at, ended_at, commit, machine, options, policies, arms, verdict`.

An arm has `policy, run, expected, verdict{outcome, exit_code, reasons}` and what its session found (`found`).
"""


def machine() -> dict[str, Any]:
    """What a run's figures depend on beside the code."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit that is checked out, marked when files differ from it; empty outside of a checkout."""
    with suppress(OSError, subprocess.SubprocessError):
        command = ["git", "-C", str(_CHECKOUT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    return ""


def write(folder: Path, record: Record) -> Path:
    """The file it was written to, as a whole. Raises RecordError."""
    return keep(folder / FILE, json.dumps(record, indent=1))


def keep(file: Path, text: str) -> Path:
    """A file of a run, replaced as a whole. Raises RecordError."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(file)
    except OSError as exc:
        raise RecordError(f"{file}: {exc.strerror}") from exc
    return file


def read(place: Path) -> Record:
    """The record in this folder, or this file. Raises RecordError."""
    file = place / FILE if place.is_dir() else place
    try:
        record = json.loads(file.read_bytes())
    except OSError as exc:
        raise RecordError(f"{file}: {exc.strerror}") from exc
    except ValueError as exc:
        raise RecordError(f"{file}: not a record of a run") from exc
    if not isinstance(record, dict) or record.get("version") != VERSION:
        raise RecordError(f"{file}: not a record of a run, or of another version than {VERSION}")
    return record


def folder_of(place: Path) -> Path:
    """The folder of a record that is named by its folder or by its file."""
    return place if place.is_dir() else place.parent


def folders(runs: Path) -> list[Path]:
    """The folders of all runs in there, the oldest first."""
    return sorted((each.parent for each in runs.glob(f"*/{FILE}")), key=lambda each: each.name.rpartition("-")[2])


def latest(runs: Path, experiment: str = "") -> Iterator[Path]:
    """The folders of the runs of an experiment, of all if none is named, the newest first."""
    found = (each for each in reversed(folders(runs)) if each.name.rpartition("-")[0] == experiment or not experiment)
    return iter(list(found))
