import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from chaos.invariants import Acknowledged, AcknowledgedError, Status, read_acknowledged, status_of_answer

FIRST = Acknowledged("ord-1", "user-1", "key-1", "confirmed")
SECOND = Acknowledged("ord-2", "user-2", None, "cancelled", cancellation_asked=True)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    file.write_text("\n".join(json.dumps(asdict(each)) for each in (FIRST, SECOND)) + "\n\n")
    assert read_acknowledged(file) == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "sold"}, "line 2: wrong status"),
        ({"status": ["sold"]}, "line 2: wrong status"),
        ({"order_id": 7, "user_id": None}, "line 2: wrong order_id, user_id"),
        ({"idempotency_key": 7}, "line 2: wrong idempotency_key"),
        ({"cancellation_asked": "yes"}, "line 2: wrong cancellation_asked"),
        ({"colour": "red"}, "line 2: not an acknowledged order"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    file = tmp_path / "told.jsonl"
    file.write_text(f"{json.dumps(asdict(FIRST))}\n{json.dumps({**asdict(FIRST), **changes})}\n")
    with pytest.raises(AcknowledgedError, match=said):
        read_acknowledged(file)


@pytest.mark.parametrize("line", ["{", "7", "[]", "null"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "told.jsonl"
    file.write_text(line)
    with pytest.raises(AcknowledgedError, match="line 1: not an acknowledged order"):
        read_acknowledged(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AcknowledgedError, match=r"none\.jsonl: No such file"):
        read_acknowledged(tmp_path / "none.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(AcknowledgedError, match="not a text file"):
        read_acknowledged(tmp_path / "binary.jsonl")


@pytest.mark.parametrize(
    ("http_status", "slug", "status"),
    [
        (201, "", "confirmed"),
        (200, "", "confirmed"),
        (202, "", "pending"),
        (402, "payment-declined", "rejected"),
        (409, "out-of-stock", "rejected"),
        (422, "unknown-product", "rejected"),
        (409, "payment-unavailable", "rejected"),
        (409, "inventory-unavailable", "rejected"),
        (409, "order-cancelled", "cancelled"),
        (409, "idempotency-key-in-use", "pending"),
        (503, "service-unavailable", "pending"),
        (504, "deadline-exceeded", "pending"),
        (500, "", "pending"),
    ],
)
def test_what_an_answer_says_of_its_order(http_status: int, slug: str, status: Status) -> None:
    assert status_of_answer(http_status, slug) == status
