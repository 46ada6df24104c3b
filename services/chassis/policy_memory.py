"""What the policies of a process were switched to, kept in a file: who is started again goes on with that.

    {"orders/payments": "budgeted", "orders/inventory": ["timeouts", "breaker"]}

Edge → the preset in force, or where it is none the single policies; an edge that was never switched is not in there.
"""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from services.chassis.calls import CallSeam
from services.chassis.resilience.policy import PRESETS, Preset

log = logging.getLogger(__name__)


class PolicyMemory:
    """Of the edges of one process; without a file it keeps nothing. Whatever is wrong with the file is logged.

    A policy is switched also where that cannot be kept: who switches it means now.
    """

    def __init__(self, file: Path | None, seams: Sequence[CallSeam]) -> None:
        self._file, self._seams = file, seams
        self._kept: dict[str, Any] = {}

    def restore(self) -> None:
        """Puts in force again what was kept; an edge whose policies are not known keeps its preset of the start."""
        kept = self._read()
        for seam in self._seams:
            if (wanted := kept.get(str(seam.edge))) is None:
                continue
            if _use(seam, wanted):
                self._kept[str(seam.edge)] = wanted
                log.info("policies are as they were switched", extra={"edge": str(seam.edge), "policies": wanted})
            else:
                log.warning("policies that were kept are none", extra={"edge": str(seam.edge), "policies": wanted})

    def keep(self, seam: CallSeam) -> None:
        """To be called when its policies have been switched."""
        self._kept[str(seam.edge)] = seam.preset or sorted(seam.policy.names)
        if not self._file:
            return
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            temporary.write_text(json.dumps(self._kept), "utf-8")
            temporary.replace(self._file)
        except OSError as exc:
            log.warning("switched policies end with this process", extra={"file": str(self._file), "error": str(exc)})

    def _read(self) -> dict[str, Any]:
        if not self._file:
            return {}
        try:
            kept = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:
            log.warning("kept policies cannot be read", extra={"file": str(self._file), "error": str(exc)})
            return {}
        if not isinstance(kept, dict):
            log.warning("kept policies cannot be read", extra={"file": str(self._file), "error": "not an object"})
            return {}
        return kept


def _use(seam: CallSeam, wanted: Any) -> bool:
    """False where it is neither a preset nor policies of the edge; then nothing is switched."""
    if isinstance(wanted, str) and wanted in PRESETS:
        seam.use(cast("Preset", wanted))
        return True
    names = seam.declared.names
    if isinstance(wanted, list) and all(isinstance(each, str) and each in names for each in wanted):
        seam.turn({name: name in wanted for name in names})
        return True
    return False
