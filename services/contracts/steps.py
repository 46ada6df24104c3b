"""The steps of a checkout at its peers, and the keys that make each of them happen once.

The key is derived from the order and the step, so that whoever drives the order on, a repeated request or a
recovery after a crash, sends the same key.
"""

from enum import StrEnum

from services.contracts.limits import ID_RULE, is_id


class Step(StrEnum):
    """What orders asks of inventory (reserve, confirm, release) and of payments (the others)."""

    RESERVE = "reserve"
    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    CONFIRM = "confirm"
    VOID = "void"
    REFUND = "refund"
    RELEASE = "release"


def step_key(order_id: str, step: Step) -> str:
    """The `idempotency_key` of one step of one order: `<order_id>:<step>`."""
    return f"{order_id}:{step}"


def wrong_field(order_id: str, step: Step, key: str) -> tuple[str, str] | None:
    """The field that makes a step's request unusable, and why; None where order and key are in order."""
    if not is_id(order_id):
        return "order_id", ID_RULE
    if key != step_key(order_id, step):
        return "idempotency_key", f"must be {step_key(order_id, step)}"
    return None
