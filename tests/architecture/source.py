"""The files of the checkout that somebody wrote or that are kept: what `.gitignore` leaves."""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("services", "observability", "chaos", "deploy", "tests")
MADE = {".git", ".venv", "build", ".faultline", ".faultline-compose", "__pycache__", ".hypothesis"}
MADE_ENDINGS = ("_cache", ".egg-info")
GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$")


def kept_files(checkout: Path) -> Iterator[Path]:
    """Every file, as an absolute path, without what is made by running or testing."""
    for entry in sorted(checkout.iterdir()):
        if entry.name in MADE or entry.name.endswith(MADE_ENDINGS):
            continue
        if entry.is_dir():
            yield from kept_files(entry)
        else:
            yield entry


def text_files(checkout: Path) -> Iterator[tuple[Path, str]]:
    """Every kept file that is text, relative to the checkout, with its text."""
    for path in kept_files(checkout):
        try:
            yield path.relative_to(checkout), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture


def modules(checkout: Path) -> Iterator[Path]:
    """Every Python file of the packages that somebody wrote, relative to the checkout."""
    for package in PACKAGES:
        for path in kept_files(checkout / package):
            if path.suffix == ".py" and not GENERATED.search(path.name):
                yield path.relative_to(checkout)
