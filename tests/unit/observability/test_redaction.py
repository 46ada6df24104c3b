import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("token=c0ntr0l&page=2", f"token={MASK}&page=2"),
        ("k=flk%5FAb-9_z&page=2", f"k={MASK}&page=2"),
        ("k=flk%5fAb%2D9%5Fz&q=a%20b", f"k={MASK}&q=a%20b"),
        ("k=flk%255FAb%25252D9&page=2", f"k={MASK}&page=2"),
        ("api%5Fkey=abc&page=2", f"api%5Fkey={MASK}&page=2"),
        ("?%74oken%3Dabc%26page=2", f"?%74oken%3D{MASK}%26page=2"),
        ("/x?token=abc%26def", f"/x?token={MASK}"),
        ("X-API-Key%3A%20abc", f"X-API-Key%3A%20{MASK}"),
        ("h=bearer%20abcdefgh1", f"h=bearer%20{MASK}"),
        ("h=bearer+abcdefgh1", f"h=bearer+{MASK}"),
        ("next=%65yJhbGciOiJI%2EeyJzdWIi%2Ec2ln&a=1", f"next={MASK}&a=1"),
        ("to=http%3A%2F%2Fuser%3Apw%40host%2Fdb", f"to=http%3A%2F%2F{MASK}%40host%2Fdb"),
        ("it was c%30ntr0l.", f"it was {MASK}."),
        ("%" + "25" * 500 + "66lk_abc, 100%", f"{MASK}, 100%"),
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
    assert REDACTOR.text(text) is text


@pytest.mark.parametrize("text", ["q=a%20b%2526c", "100%", "%zz%4", "caf%C3%A9 %7Bid%7D", "%5d of %25d"])
def test_encoded_text_without_a_secret_stays(text: str) -> None:
    assert REDACTOR.text(text) is text
    assert not REDACTOR.suspects(text)


@given(st.text("flk_Ab-9%25", max_size=8), st.integers(0, 4), st.data())
def test_however_a_key_is_encoded_nothing_of_it_stays(before: str, times: int, data: st.DataObject) -> None:
    written = "flk_s3cr3t"
    for _ in range(times):
        written = "".join(f"%{ord(each):02X}" if data.draw(st.booleans()) or each == "%" else each for each in written)
    text = f"{before}&k={written}&page=2"
    assert REDACTOR.suspects(text)
    assert REDACTOR.text(text) == f"{REDACTOR.text(before)}&k={MASK}&page=2"


def test_what_is_encoded_deeper_than_anybody_looks_is_masked_whole() -> None:
    written = "flk_a"
    for _ in range(9):
        written = "".join(f"%{ord(each):02X}" for each in written)
    assert REDACTOR.suspects(written)
    assert REDACTOR.text(f"see {written}") == MASK


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
    "piece",
    ["eyJ", "-eyJ", "token", "token: ", "://a:", "@://", "flk_", "bearer ", "bearer+", "key'", "'\"", "\\", "%", "25",
     "%25", "%2", "%32%35", "flk%5F", "%66"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = "token" + piece * (200_000 // len(piece))
    began = time.process_time()
    REDACTOR.text(text)
    assert time.process_time() - began < 1.0  # quadratic would be minutes
