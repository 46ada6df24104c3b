"""The errors of this package.

FaultlineError
└── FaultRefusedError   a fault that cannot be: which field, and what it may be
"""

from services.chassis.errors import FaultlineError


class FaultRefusedError(FaultlineError):
    """`field` of what was asked for is wrong; `reason` names the valid choices."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason
