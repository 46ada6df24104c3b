"""Who makes which files of this folder. They are checked in, and a test fails when one is not what its generator makes.

A generator is a function that gives files, text by name relative to this folder, and writes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from observability.stack import alertmanager, compose
from observability.stack.grafana import generator as grafana
from observability.stack.prometheus import rules

FOLDER: Final = Path(__file__).parent

Files = Mapping[str, str]

GENERATORS: Final[Mapping[str, Callable[[], Files]]] = {
    "observability.stack.compose": compose.files,
    "observability.stack.grafana": grafana.files,
    "observability.stack.alertmanager": alertmanager.files,
    "observability.stack.prometheus": rules.files,
}


def drift(folder: Path = FOLDER) -> Iterator[str]:
    """What in `folder` is not as its generator makes it, a line each, which names the generator."""
    for module, files in GENERATORS.items():
        for name, text in files().items():
            file = folder / name
            if not file.exists():
                yield f"{name} is not there; {module} makes it: `make stack`"
            elif file.read_text("utf-8") != text:
                yield f"{name} is not as {module} makes it: change that, then `make stack`"
