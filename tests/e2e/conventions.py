"""The attributes' names that OpenTelemetry's semantic conventions have, read from the package that has them all."""

import ast
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("opentelemetry.semconv.attributes", "opentelemetry.semconv._incubating.attributes")


def attribute_names() -> set[str]:
    """Stable or in development, but for those that are deprecated; that it is stands in its docstring alone."""
    return {name for package in PACKAGES for path in _modules(package) for name in _names(path)}


def _modules(package: str) -> Iterator[Path]:
    spec = find_spec(package)
    assert spec is not None
    for folder in spec.submodule_search_locations or ():
        yield from (Path(folder) / f"{module.name}.py" for module in pkgutil.iter_modules([folder]))


def _names(path: Path) -> Iterator[str]:
    body = ast.parse(path.read_text()).body
    for constant, told in zip(body, [*body[1:], None], strict=True):
        match constant, told:
            case ast.AnnAssign(value=ast.Constant(value=str(name))), ast.Expr(value=ast.Constant(value=str(text))):
                if not text.lstrip().startswith("Deprecated"):
                    yield name
            case ast.AnnAssign(value=ast.Constant(value=str(name))), _:
                yield name
