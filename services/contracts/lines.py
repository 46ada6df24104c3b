"""The rule for the lines of an order, which everybody who is handed some checks for themselves."""

from collections import Counter
from collections.abc import Sequence

from services.contracts.limits import ID_RULE, MAX_LINES, MAX_QUANTITY, is_id


def wrong_fields(lines: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    """What is wrong with `lines`, each a product id and a quantity: fields such as `lines[0].quantity`, and why.

    Of too many lines only that is told: an answer is bounded, over gRPC to 8 KiB with its metadata.
    """
    return _wrong_count(lines) or [*_wrong_values(lines), *_repeated(lines)]


def _wrong_count(lines: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    if 1 <= len(lines) <= MAX_LINES:
        return []
    return [("lines", f"must be 1 to {MAX_LINES} lines, not {len(lines)}")]


def _wrong_values(lines: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    ids = [(f"lines[{index}].product_id", ID_RULE) for index, (each, _) in enumerate(lines) if not is_id(each)]
    quantities = [
        (f"lines[{index}].quantity", f"must be 1 to {MAX_QUANTITY}, not {quantity}")
        for index, (_, quantity) in enumerate(lines)
        if not 1 <= quantity <= MAX_QUANTITY
    ]
    return ids + quantities


def _repeated(lines: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    count = Counter(product_id for product_id, _ in lines)
    return [
        (f"lines[{index}].product_id", "is on several lines; add them up")
        for index, (product_id, _) in enumerate(lines)
        if count[product_id] > 1
    ]
