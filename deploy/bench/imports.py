"""Processes that import what a real one imports, and do nothing else: the floor that no start can go below."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Final, Self

from deploy.bench.figure import FigureRefusedError

_OURS: Final = ("services", "observability", "chaos", "deploy", "tests")
_PROBE_TIMEOUT_S: Final = 60

# Libraries that import in circles can be imported in one order only: the one in which their imports begin.
_PROBE: Final = f"""
import importlib, importlib.util, json, sys
begun = []
class Recorder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        begun.append(name)
sys.meta_path.insert(0, Recorder)
module = sys.argv[1]
for name in (module, module + ".__main__", module + ".bootstrap"):
    if importlib.util.find_spec(name):
        importlib.import_module(name)
print(json.dumps([
    name for name in dict.fromkeys(begun) if name in sys.modules and name.partition(".")[0] not in {_OURS!r}
]))
"""

_IMPORTER: Final = """
import importlib, json, sys
for name in json.loads(sys.stdin.readline()):
    importlib.import_module(name)
print("imported", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Imports:
    """What the process `python -m MODULE` imports that is not ours: modules in the order in which their imports begin."""

    module: str
    libraries: tuple[str, ...]


def imports_of(module: str) -> Imports:
    """Ask a process of its own, which imports the module without running it. Raises `FigureRefusedError`."""
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE, module], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
    )
    if probe.returncode != 0:
        raise FigureRefusedError(f"{module} cannot be imported: {_last_line(probe.stderr)}")
    return Imports(module, tuple(json.loads(probe.stdout)))


def import_together(imports: Sequence[Imports]) -> float:
    """Seconds from starting all these processes at once until each has imported its libraries."""
    with ExitStack() as stack:
        began = time.perf_counter()
        importers = [stack.enter_context(_Importer(each)) for each in imports]
        for importer in importers:
            importer.await_imported()
        return time.perf_counter() - began


class _Importer:
    """One such process; it ends with the `with` block."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IMPORTER], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def __enter__(self) -> Self:
        _stream(self._process.stdin).write(json.dumps(self._imports.libraries) + "\n")
        _stream(self._process.stdin).flush()
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def await_imported(self) -> None:
        if _stream(self._process.stdout).readline().strip() != "imported":
            why = _last_line(_stream(self._process.stderr).read())
            raise FigureRefusedError(f"the libraries of {self._imports.module} cannot be imported alone: {why}")


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise AssertionError("every stream of an importer is a pipe")
    return stream


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
