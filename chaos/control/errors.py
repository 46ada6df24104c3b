"""What can go wrong between us and the system under test, one tree.

ControlError
├── NotRunningError      no system runs on this state folder
├── WrongStateError      the folder's files cannot be read
├── UnknownTargetError   there is no service, replica or database of that name; names the ones there are
├── AwayError            somebody who should have been told does not answer
├── HoldError            nobody can be had who ends a fault at its time
└── RefusedError         the system said no, and why
"""

from collections.abc import Mapping, Sequence


class ControlError(Exception):
    """Root of this package's errors; the text is one line for people."""


class NotRunningError(ControlError):
    """No system runs on this state folder."""


class WrongStateError(ControlError):
    """A file of the state folder is not what it should be."""


class UnknownTargetError(ControlError):
    """Nothing in the system has this name."""

    def __init__(self, name: str, choices: Sequence[str]) -> None:
        super().__init__(f"there is no {name!r}; there are {', '.join(choices)}")
        self.name, self.choices = name, tuple(choices)


class AwayError(ControlError):
    """`where` (an instance, or the supervisor) does not answer."""

    def __init__(self, where: str, address: str, reason: str) -> None:
        super().__init__(f"{where} at {address} does not answer: {reason}")
        self.where, self.address = where, address


class HoldError(ControlError):
    """There is no process that would do something later, or its mark cannot be written or taken away."""


class RefusedError(ControlError):
    """`where` refused with this HTTP `status`; `errors` are (field, why) where it named fields."""

    def __init__(self, where: str, status: int, document: Mapping[str, object]) -> None:
        self.where, self.status = where, status
        self.detail = str(document.get("detail") or f"status {status}")
        rows = document.get("errors") or []
        self.errors = [(str(row["field"]), str(row["message"])) for row in rows] if isinstance(rows, list) else []
        why = "; ".join(f"{field}: {message}" for field, message in self.errors) or self.detail
        super().__init__(f"{where}: {why}")
