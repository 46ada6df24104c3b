"""The experiments that there are, validated as Chaos Toolkit validates them and as we do."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from chaos.runs import activities
from chaos.runs.declared import Declared, declared
from chaos.runs.errors import InvalidError
from chaos.toolkit.policies import PRESETS
from observability.stack import objectives

FOLDER: Final = Path(__file__).parents[1] / "experiments"

Document = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """A valid experiment; `document` is what Chaos Toolkit runs."""

    name: str
    file: Path
    document: Document
    declared: Declared

    @property
    def title(self) -> str:
        """The hypothesis."""
        return str(self.document["title"])


def names() -> list[str]:
    """Of the experiments that come with the system."""
    return sorted(each.stem for each in FOLDER.glob("*.yaml"))


def file_of(name: str) -> Path:
    """The file of an experiment by its name, or of a path to one. Raises InvalidError naming the valid choices."""
    if name in names():
        return FOLDER / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")) and Path(name).is_file():
        return Path(name)
    raise InvalidError(f"there is no experiment {name!r}; experiments: {', '.join(names())}, or a path to a .yaml file")


def load(name: str) -> Experiment:
    """An experiment, validated. Raises InvalidError."""
    file = file_of(name)
    document = _read(file)
    try:
        found = declared(document, objectives.load())
    except (InvalidError, objectives.ObjectivesError) as exc:
        raise InvalidError(f"{file.name}: {exc}") from exc
    _validate(file, document)
    _check_names(file, document, found)
    return Experiment(file.stem, file, document, found)


def load_all() -> Iterator[Experiment]:
    """Each that comes with the system. Raises InvalidError."""
    return map(load, names())


def _read(file: Path) -> Document:
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidError(f"{file.name}: not to be read as YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise InvalidError(f"{file.name}: not an experiment, but a {type(document).__name__}")
    return document


def _validate(file: Path, document: Document) -> None:
    from chaoslib.exceptions import ChaosException  # noqa: PLC0415 -- takes as long to import as all else here
    from chaoslib.experiment import ensure_experiment_is_valid  # noqa: PLC0415

    logging.getLogger("chaostoolkit").addHandler(logging.NullHandler())
    try:
        ensure_experiment_is_valid(document)
    except (ChaosException, ValueError, TypeError) as exc:  # the latter for an environment's value of another type
        raise InvalidError(f"{file.name}: {exc}") from exc


def _check_names(file: Path, document: Document, found: Declared) -> None:
    if unknown := [each for each in found.arms if each not in ("", *PRESETS)]:
        raise InvalidError(
            f"{file.name}: extensions.faultline.arms: there is no policy {unknown[0]!r}; policies: {', '.join(PRESETS)}"
        )
    try:
        activities.check(activities.activities(document))
    except InvalidError as exc:
        raise InvalidError(f"{file.name}: {exc}") from exc
