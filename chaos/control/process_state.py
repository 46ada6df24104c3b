"""What is known of a process from outside."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProcessState:
    """A process as the supervisor tells it: `state` is its word, `pid` None while it is down, `detail` why it is not well."""

    instance: str
    state: str
    pid: int | None
    detail: str = ""
