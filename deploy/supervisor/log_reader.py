"""Reads the processes' log files: the newest lines, the lines of one trace, or what is being written."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Any

from deploy.supervisor.state import StateFolder


@dataclass(frozen=True)
class LogLine:
    """One record of one process; `record` as it was written, or `{"message": line}` where that is not JSON."""

    instance: str
    record: dict[str, Any]

    @property
    def timestamp(self) -> str:
        """RFC 3339 in UTC, so that order of text is order of time; empty where the line has none."""
        return str(self.record.get("timestamp", ""))


def instances(state: StateFolder) -> list[str]:
    """Whose logs there are."""
    return sorted(file.stem for file in state.logs.glob("*.jsonl"))


def read(state: StateFolder, of: Sequence[str], trace_id: str = "", tail: int | None = None) -> list[LogLine]:
    """Lines of these instances by time; of one trace alone if one is given, the newest `tail` of them."""
    per_instance = [list(_newest(_lines(state, each, trace_id), tail)) for each in of]
    merged = merge(*per_instance, key=lambda line: line.timestamp)
    return list(_newest(merged, tail))


class Follower:
    """Lines that are written from now on."""

    def __init__(self, state: StateFolder, of: Sequence[str], trace_id: str = "") -> None:
        self._tails = [_Tail(state.log_file(each), each) for each in of]
        self._trace_id = trace_id

    def poll(self) -> list[LogLine]:
        """What was written since the last call, by time."""
        lines = (line for tail in self._tails for line in tail.poll() if _belongs(line, self._trace_id))
        return sorted(lines, key=lambda line: line.timestamp)


class _Tail:
    def __init__(self, file: Path, instance: str) -> None:
        self._file, self._instance = file, instance
        self._offset = file.stat().st_size if file.exists() else 0

    def poll(self) -> Iterator[LogLine]:
        """Whole lines only: one that is being written is left for the next time."""
        if not self._file.exists():
            return
        with self._file.open("rb") as stream:
            if stream.seek(0, 2) < self._offset:  # emptied, as it was full
                self._offset = 0
            stream.seek(self._offset)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            yield _parse(self._instance, line)


def _lines(state: StateFolder, instance: str, trace_id: str) -> Iterator[LogLine]:
    """The older file first. Lines without the id are not even parsed."""
    file, wanted = state.log_file(instance), trace_id.encode()
    for each in (file.with_name(f"{file.name}.1"), file):
        if each.exists():
            with each.open("rb") as stream:
                found = (_parse(instance, line) for line in stream if wanted in line)
                yield from (line for line in found if _belongs(line, trace_id))


def _belongs(line: LogLine, trace_id: str) -> bool:
    return not trace_id or line.record.get("trace_id") == trace_id


def _newest(lines: Iterable[LogLine], tail: int | None) -> Iterable[LogLine]:
    return lines if tail is None else deque(lines, maxlen=tail)


def _parse(instance: str, line: bytes) -> LogLine:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if isinstance(record, dict):
        return LogLine(instance, record)
    return LogLine(instance, {"message": line.decode(errors="replace").rstrip()})
