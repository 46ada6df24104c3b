"""Where a program is: on the PATH, or in the user's cache, where `make backends` puts what it builds."""

import os
import shutil
from pathlib import Path

from deploy.programs.catalogue import JAEGER, JAEGER_VERSION, Known


def cache_folder() -> Path:
    """`faultline/backends` in the user's cache (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(named) if os.path.isabs(named) else Path.home() / ".cache"  # noqa: PTH117 -- of a text that may be empty
    return cache / "faultline" / "backends"


def built_jaeger() -> Path:
    """Where a Jaeger of our version is, once it is built."""
    return cache_folder() / f"{JAEGER}-{JAEGER_VERSION}" / JAEGER


def find(program: Known) -> Path | None:
    """Its executable file, absolute; None when this machine has none."""
    on_path = next(filter(None, map(shutil.which, program.commands)), None)
    if on_path:
        return Path(on_path).absolute()
    built = built_jaeger()
    return built if program.name == JAEGER and os.access(built, os.X_OK) else None
