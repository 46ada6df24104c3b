"""Who makes which files of this folder. They are checked in, and a test fails when one is not what its generator makes.

A generator is a function that gives files, text by name relative to this folder, and writes nothing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from observability.stack import compose
from observability.stack.grafana import generator as grafana
from observability.stack.prometheus import rules

FOLDER: Final = Path(__file__).parent

Files = Mapping[str, str]

GENERATORS: Final[Mapping[str, Callable[[], Files]]] = {
    "observability.stack.compose": compose.files,
    "observability.stack.grafana": grafana.files,
    "observability.stack.prometheus": rules.files,
}
