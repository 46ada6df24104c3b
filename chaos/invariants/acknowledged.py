"""What clients were told about their orders: the promises that a finished run is held to.

In a file they are JSON lines, an object with the fields of `Acknowledged` each.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from chaos.invariants.errors import AcknowledgedError

Status = Literal["pending", "confirmed", "rejected", "cancelled"]
"""An order's status as clients see it."""

REJECTIONS: Final = frozenset(
    {
        "out-of-stock",
        "unknown-product",
        "reservation-closed",
        "payment-declined",
        "unknown-payment-method",
        "payment-closed",
        "inventory-unavailable",
        "payment-unavailable",
    }
)
"""The problems that, with an `order_id`, say that the order came to nothing."""

CANCELLATION: Final = "order-cancelled"
"""The problem that says that it was cancelled before it was confirmed."""


_KEPT: Final = 202


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One answer that named an order. An order may have several; each is a promise of its own.

    `status` is what the answer said of the order. `idempotency_key` is the one that the order was asked for with, None
    where that is not known. `cancellation_asked`: the client has asked to cancel the order, whether or not it heard an
    answer; then `confirmed` is no promise any more.
    """

    order_id: str
    user_id: str
    idempotency_key: str | None
    status: Status
    cancellation_asked: bool = False

    @property
    def subject(self) -> str:
        return self.order_id


def status_of_answer(http_status: int, slug: str) -> Status:
    """What the answer to a checkout says of the order it names; `slug` is the problem's, empty for none.

    Any other problem (the key is in use, a peer is away, the time is spent) leaves the order as it is: pending. So does
    202: it was kept, to be finished later.
    """
    if http_status == _KEPT:
        return "pending"
    if 200 <= http_status < 300:
        return "confirmed"
    if slug == CANCELLATION:
        return "cancelled"
    return "rejected" if slug in REJECTIONS else "pending"


def read_acknowledged(file: Path) -> tuple[Acknowledged, ...]:
    """All acknowledged orders of a file. Raises AcknowledgedError."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise AcknowledgedError(f"{file}: {getattr(exc, 'strerror', None) or 'not a text file'}") from exc
    return tuple(_parsed(file, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _parsed(file: Path, number: int, line: str) -> Acknowledged:
    try:
        read = Acknowledged(**json.loads(line))
    except (TypeError, ValueError) as exc:
        raise AcknowledgedError(f"{file}, line {number}: not an acknowledged order ({exc})") from exc
    if wrong := _wrong_fields(read):
        raise AcknowledgedError(f"{file}, line {number}: wrong {', '.join(wrong)}")
    return read


def _wrong_fields(read: Acknowledged) -> list[str]:
    fine: dict[str, Any] = {
        "order_id": isinstance(read.order_id, str),
        "user_id": isinstance(read.user_id, str),
        "idempotency_key": isinstance(read.idempotency_key, str | None),
        "status": read.status in get_args(Status),
        "cancellation_asked": isinstance(read.cancellation_asked, bool),
    }
    return [name for name, is_fine in fine.items() if not is_fine]
