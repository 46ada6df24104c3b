"""A violation: what is otherwise than it must be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is the name of the broken one, `subject` the id of what breaks it; the rest is for people."""

    invariant: str
    subject: str
    found: str
    expected: str
