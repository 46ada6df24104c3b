"""The checker's errors, one tree. They mean that nothing was proven, not that something is wrong.

InvariantsError
├── StoreError            a store is missing or cannot be read: names it
└── AcknowledgedError     the list of acknowledged orders cannot be read: names the file and the line
"""


class InvariantsError(Exception):
    """Root of what this package raises on purpose. The text is one line, for people."""


class StoreError(InvariantsError):
    """A store is missing, is no database, or has other tables than the checker knows."""


class AcknowledgedError(InvariantsError):
    """The acknowledged orders are not what `read_acknowledged` describes."""
