import time
from typing import Any

import pytest

from observability.redaction import MASK, Redactor, is_secret_name

REDACTOR = Redactor(["c0ntr0l"])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("the key flk_Ab-9_z is wrong", f"the key {MASK} is wrong"),
        ("flk_a, flk_b", f"{MASK}, {MASK}"),
        ("X-API-Key: abc", f"X-API-Key: {MASK}"),
        ("{'x-api-key': 'abc', 'a': 1}", f"{{'x-api-key': '{MASK}', 'a': 1}}"),
        ("(b'x-api-key', b'abc')", f"(b'x-api-key', b'{MASK}')"),
        ('{"api_key":"abc"}', f'{{"api_key":"{MASK}"}}'),
        ("Authorization: Bearer abc", f"Authorization: Bearer {MASK}"),
        ("authorization=Basic YWJj=", f"authorization=Basic {MASK}"),
        ("sent bearer abcdefgh1", f"sent bearer {MASK}"),
        ("/x?token=abc&page=2", f"/x?token={MASK}&page=2"),
        ("CONTROL_TOKEN=abc", f"CONTROL_TOKEN={MASK}"),
        ("postgresql://user:pw@host/db", f"postgresql://{MASK}@host/db"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", MASK),
        ("it was c0ntr0l.", f"it was {MASK}."),
    ],
)
def test_secrets_in_text_are_masked(text: str, clean: str) -> None:
    assert REDACTOR.text(text) == clean
    assert REDACTOR.suspects(text)


@pytest.mark.parametrize(
    "text",
    ["", "GET", "pm_card_visa", "/api/v1/orders/{order_id}", "authorization failed for user-1", "monkey business",
     "SELECT idempotency_key FROM orders", "bearer of news", "http://127.0.0.1:8081/v1/orders", "a@b"],
)  # fmt: skip
def test_other_text_stays(text: str) -> None:
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize(
    "name", ["authorization", "X-API-Key", "http.request.header.x_api_key", "control_token", "Cookie"]
)
def test_names_that_mean_a_secret(name: str) -> None:
    assert is_secret_name(name)
    assert REDACTOR.field(name, {"anything": "at all"}) == MASK


@pytest.mark.parametrize("name", ["idempotency_key", "payment_method", "tokens_left", "author", "key"])
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


def test_fields_become_plain_data_at_every_depth() -> None:
    value = {"headers": {"Authorization": "x", "n": None}, "list": ("flk_1", 2, float("nan")), 3: ValueError("flk_2")}
    assert REDACTOR.field("extra", value) == {
        "headers": {"Authorization": MASK, "n": None},
        "list": [MASK, 2, "nan"],
        "3": MASK,
    }


def test_a_structure_that_holds_itself_ends() -> None:
    endless: dict[str, Any] = {"flk_name": "flk_value"}
    endless["self"] = endless
    assert "flk_" not in repr(REDACTOR.field("extra", endless))


@pytest.mark.parametrize(
    "piece", ["eyJ", "-eyJ", "token", "token: ", "://a:", "@://", "flk_", "bearer ", "key'", "'\"", "\\"]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = "token" + piece * (200_000 // len(piece))
    began = time.process_time()
    REDACTOR.text(text)
    assert time.process_time() - began < 1.0  # quadratic would be minutes
