"""Reads `requirements/*.lock` and what the project asks for, without a network."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Pin:
    """One package of a lock: `name==version`, on which machines, and the hashes of its files."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")

    @property
    def is_for_this_machine(self) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def read_lock(path: Path) -> dict[str, Pin]:
    """Name → pin."""
    entries = re.split(r"\n(?=\S)", path.read_text())
    pins = map(_pin, filter(lambda entry: re.match(r"[A-Za-z0-9]", entry), entries))
    return {pin.name: pin for pin in pins}


def _pin(entry: str) -> Pin:
    requirement, _, rest = entry.partition("\\\n")
    return Pin(Requirement(requirement.strip()), frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", rest)))


def wanted_by_project(pyproject: Path, *extras: str) -> list[Requirement]:
    project = tomllib.loads(pyproject.read_text())["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return [Requirement(text) for text in texts]


def closure(roots: list[Requirement], *, on_this_machine: bool) -> Iterator[Requirement]:
    """All that `roots` need, and what that needs, as the installed packages' own metadata says.

    `on_this_machine` leaves out what is needed only on other machines.
    """
    open_, seen = list(roots), set[tuple[str, str]]()
    while open_:
        requirement = open_.pop()
        yield requirement
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key not in seen:
                seen.add(key)
                open_ += [each for each in _requires(key[0]) if _applies(each, extra, on_this_machine)]


@cache
def _requires(name: str) -> tuple[Requirement, ...]:
    try:
        texts = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return ()  # a package for other machines: it was not installed here
    return tuple(Requirement(text) for text in texts)


def _applies(requirement: Requirement, extra: str, on_this_machine: bool) -> bool:
    marker = requirement.marker
    if marker is None:
        return extra == ""
    named = set(re.findall(r"""extra\s*==\s*["']([^"']+)["']""", str(marker)))
    if on_this_machine:
        return marker.evaluate({"extra": extra})
    return extra in named if named else extra == ""
