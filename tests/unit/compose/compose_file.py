"""`docker-compose.yml` as data, its variables at their defaults."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

CHECKOUT: Final = Path(__file__).resolve().parents[3]
FILE: Final = CHECKOUT / "docker-compose.yml"
OURS: Final = "localhost/faultline:"
ONE_SHOT: Final = "first-start"

_VARIABLE: Final = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
_SIZE: Final = re.compile(r"([0-9]+)m")

Document = Mapping[str, Any]

DOCUMENT: Final[Document] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: Final[Mapping[str, Document]] = DOCUMENT["services"]
LONG_RUNNING: Final = tuple(name for name in SERVICES if name != ONE_SHOT)
OF_OURS: Final = tuple(name for name, each in SERVICES.items() if each["image"].startswith(OURS))


def environment(service: str) -> dict[str, str]:
    """The service's settings as its container gets them."""
    return {name: by_default(value) for name, value in SERVICES[service].get("environment", {}).items()}


def by_default(text: str) -> str:
    """With each variable that the user may set at its default."""
    return _VARIABLE.sub(r"\1", text)


def mebibytes(size: str) -> int:
    """`64m` → 64."""
    found = _SIZE.fullmatch(size)
    assert found, f"{size} is not written as mebibytes"
    return int(found[1])


def mounts(service: str) -> list[tuple[str, str, str]]:
    """Source, target and mode (`rw` or `ro`) of each."""
    return list(map(_mount, SERVICES[service].get("volumes", [])))


def _mount(text: str) -> tuple[str, str, str]:
    source, target, *mode = text.split(":")
    return source, target, mode[0] if mode else "rw"
