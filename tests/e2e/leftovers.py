"""Proof that something left no process behind: what it starts inherits a mark in its environment."""

import os
import uuid

import psutil

NAME = "FAULTLINE_TEST_MARK"


class Mark:
    """A mark of its own for each use."""

    def __init__(self) -> None:
        self._value = uuid.uuid4().hex

    @property
    def environment(self) -> dict[str, str]:
        """The test's own environment with the mark in it."""
        return {**os.environ, NAME: self._value}

    def bearers(self) -> list[str]:
        """The command lines of running processes that have it."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if self._marked(process)]

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(NAME) == self._value and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False  # somebody else's, or it ended meanwhile
