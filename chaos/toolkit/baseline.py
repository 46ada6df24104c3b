"""What was in force before a run chose its policies, noted in the state folder: it is not lost with a run that is killed."""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from chaos.control import EdgePolicies
from chaos.measure.errors import MeasureError

log = logging.getLogger(__name__)

_FILE: Final = Path("chaos", "policies-before.json")


class BaselineError(MeasureError):
    """The note cannot be written; names the file."""


@dataclass(frozen=True)
class Baseline:
    """One edge in one replica of its caller: which policies were in force, before a run chose `preset`."""

    instance: str
    edge: str
    preset: str
    switches: Mapping[str, bool]

    @property
    def key(self) -> tuple[str, str]:
        """Which edge it is of."""
        return self.instance, self.edge

    @classmethod
    def of(cls, found: EdgePolicies, preset: str) -> "Baseline":
        """What is in force now, as a run is about to choose a preset."""
        switches = {name: bool(each["in_force"]) for name, each in found.policies.items()}
        return cls(found.instance, found.edge, preset, switches)


class Note:
    """Of one system: what an earlier one left, whose processes have begun anew since, counts for nothing."""

    def __init__(self, state: Path, token: str) -> None:
        self._file = state / _FILE
        self._system = sha256(token.encode()).hexdigest()[:16]  # the token is made anew as a system starts

    def read(self) -> list[Baseline]:
        """What has not been put back; nothing where the note cannot be read."""
        try:
            document = json.loads(self._file.read_bytes())
            return [Baseline(**each) for each in document["edges"]] if document["system"] == self._system else []
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as exc:
            log.warning(
                "policies that were not put back are unknown", extra={"file": str(self._file), "error": str(exc)}
            )
            return []

    def write(self, standing: Iterable[Baseline]) -> None:
        """Instead of what it said before; no file where nothing is left to be put back. Raises BaselineError."""
        edges = [asdict(each) for each in standing]
        try:
            if edges:
                self._replace({"system": self._system, "edges": edges})
            else:
                self._file.unlink(missing_ok=True)
        except OSError as exc:
            raise BaselineError(f"{self._file}: {exc.strerror}") from exc

    def _replace(self, document: Mapping[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        temporary.write_text(json.dumps(document), "utf-8")
        temporary.replace(self._file)
