r"""A file that keeps the newest spans over a restart: export requests as they came, one after the other.

    b"faultline-traces-1\n", then for each request its length and its CRC-32 (4 bytes each, big-endian), and itself

It is bounded: when it is half full it becomes `<name>.1`, whose predecessor is let go, and a new one is begun. What is
written is in the hands of the system at once, so that it outlives the process however that ends; after a power failure
the end of the file may be torn. What cannot be read is cut off, together with what follows it, and told.
"""

import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

log = logging.getLogger(__name__)

_MAGIC: Final = b"faultline-traces-1\n"
_HEAD: Final = struct.Struct(">II")


class TracesFileError(Exception):
    """The file cannot be used; the message names it and says why."""


class TracesFile:
    """One process's at a time. `cut_bytes` and `lost` (requests that were not written) grow while it is used."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Raises TracesFileError: it is not ours, another process's, or not to be opened."""
        self.path = path
        self.cut_bytes = self.lost = 0
        self._ill = False
        self._fd = -1
        self._half = max_bytes // 2
        self._older = path.with_name(f"{path.name}.1")
        try:
            self._lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for each in (self._older, path):
                _check(each)
        except BlockingIOError as exc:
            raise TracesFileError(f"{path}: another process keeps its traces there") from exc
        except OSError as exc:
            raise TracesFileError(f"{path}: {exc.strerror}") from exc

    @property
    def size_bytes(self) -> int:
        """Of both files."""
        return sum(each.stat().st_size for each in (self._older, self.path) if each.exists())

    def replay(self) -> Iterator[bytes]:
        """Every request, the oldest first; then the file is open for more."""
        for file in (self._older, self.path):
            if file.exists():
                with file.open("r+b") as stream:
                    yield from self._requests(file, stream)
        self._begin()

    def _requests(self, file: Path, stream: BinaryIO) -> Iterator[bytes]:
        size = os.fstat(stream.fileno()).st_size
        good = len(stream.read(len(_MAGIC)))
        good = good if good == len(_MAGIC) else 0
        while good and (request := _next(stream, size - good)) is not None:
            good += _HEAD.size + len(request)
            yield request
        if good < size:
            self.cut_bytes += size - good
            log.warning("traces file cut", extra={"file": str(file), "cut_bytes": size - good, "kept_bytes": good})
            stream.truncate(good)

    def _begin(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size
        if not self._size:
            self._write(_MAGIC)

    def append(self, request: bytes) -> None:
        """Never raises: what cannot be written is counted as `lost`, and told once until it goes well again."""
        problem = self._try(_HEAD.pack(len(request), zlib.crc32(request)) + request)
        self.lost += bool(problem)
        if problem and not self._ill:
            log.error("traces are not written to their file", extra={"file": str(self.path), "reason": problem})
        self._ill = bool(problem)

    def _try(self, frame: bytes) -> str:
        """Writes it, or says why not."""
        if len(_MAGIC) + len(frame) > self._half:
            return f"a request of {len(frame)} bytes is more than half of what the file may hold"
        try:
            if self._size + len(frame) > self._half:
                self._turn_over()
            return "" if self._write(frame) else "the disk is full"
        except OSError as exc:
            return exc.strerror or type(exc).__name__

    def _turn_over(self) -> None:
        full = self._fd
        if self.path.exists():  # else somebody deleted it under us
            self.path.replace(self._older)
        self._begin()
        os.close(full)

    def _write(self, data: bytes) -> bool:
        """All of it or nothing; whether there was room. Raises OSError."""
        written = 0
        try:
            written = os.write(self._fd, data)
        finally:
            if written < len(data):
                os.ftruncate(self._fd, self._size)
        if written == len(data):
            self._size += written
        return written == len(data)

    def close(self) -> None:
        """Gives it to whoever comes next."""
        if self._fd >= 0:
            os.close(self._fd)
        os.close(self._lock)


def _check(file: Path) -> None:
    """Raises TracesFileError for what somebody else wrote, OSError for what cannot be read."""
    if not file.exists():
        return
    with file.open("rb") as stream:
        begin = stream.read(len(_MAGIC))
    if not _MAGIC.startswith(begin):
        raise TracesFileError(f"{file}: is no file of traces; name another one")


def _next(stream: BinaryIO, left: int) -> bytes | None:
    """The request that begins here; None at the end, and where none can be read. `left` are the bytes that follow."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack(head)
    if length > left - _HEAD.size:
        return None
    request = stream.read(length)
    return request if zlib.crc32(request) == checksum else None
