"""The log file of one process: JSON lines, bounded.

The process writes to the file itself (its standard output is the file, opened for appending), so that a stopped or
killed supervisor neither blocks nor silences it. What it says on standard error is not JSON; the supervisor wraps it.
"""

import json
import logging
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from observability.redaction import Redactor

log = logging.getLogger(__name__)

MAX_BYTES: Final = 16 * 2**20


class ProcessLog:
    """`file` and, once it was full, its predecessor `<file>.1`: together at most about twice `max_bytes`."""

    def __init__(self, file: Path, service: str, instance: str, redactor: Redactor, max_bytes: int = MAX_BYTES) -> None:
        self.file = file
        self._about = {"service.name": service, "service.instance.id": instance}
        self._redactor = redactor
        self._max_bytes = max_bytes

    def open(self) -> int:
        """A descriptor for appending, for the process to inherit; the caller closes it. Raises OSError."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def add(self, logger: str, level: str, message: str) -> None:
        """Appends one line of the supervisor's own, in the same form as the process's."""
        line = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "logger": logger,
            "message": self._redactor.text(message),
            **self._about,
        }
        try:
            self._write(f"{json.dumps(line)}\n".encode())
        except OSError as exc:  # a full disk is no reason to end the process, or the supervisor
            log.warning("a log line is lost", extra={"file": str(self.file), "error": str(exc)})

    def bound(self) -> None:
        """Moves a full file's content to `<file>.1`; to be called now and then.

        The process goes on writing to the same file, so it is copied and emptied, not renamed. A line written in the
        instant between the two is lost.
        """
        try:
            if self.file.stat().st_size > self._max_bytes:
                shutil.copyfile(self.file, self.file.with_name(f"{self.file.name}.1"))
                os.truncate(self.file, 0)
        except OSError as exc:
            log.warning("a log file is not bounded", extra={"file": str(self.file), "error": str(exc)})

    def _write(self, line: bytes) -> None:
        descriptor = self.open()
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
