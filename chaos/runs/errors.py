"""The errors of running experiments, one tree.

RunError
├── InvalidError      what was asked for cannot be run: refused before anything is touched
└── RecordError       a record of a run is missing, or cannot be read or written
"""


class RunError(Exception):
    """Root of what this package raises on purpose. The text is for people."""


class InvalidError(RunError):
    """What was asked for cannot be run; the text says why, and names the valid choices."""


class RecordError(RunError):
    """There is no such record, it is none, or it cannot be written."""
