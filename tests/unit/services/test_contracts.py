"""The values and conventions that all services share."""

import re

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import lines, pages, times
from services.contracts.errors import CATALOGUE
from services.contracts.limits import MAX_ID_LENGTH, MAX_LINES, MAX_QUANTITY, is_id
from services.contracts.money.money import Money, from_proto, to_proto, total
from services.contracts.steps import Step, step_key, wrong_field

amounts = st.integers(min_value=-(2**40), max_value=2**40)
moneys = st.builds(Money, amounts, st.just("EUR"))
ids = st.from_regex(r"[!-~]{1,64}", fullmatch=True)


class TestErrors:
    def test_the_catalogue_says_what_clients_were_promised(self) -> None:
        promised = {
            "malformed-request": (400, "INVALID_ARGUMENT"),
            "idempotency-key-missing": (400, "INVALID_ARGUMENT"),
            "unauthenticated": (401, "UNAUTHENTICATED"),
            "payment-declined": (402, "FAILED_PRECONDITION"),
            "forbidden": (403, "PERMISSION_DENIED"),
            "not-found": (404, "NOT_FOUND"),
            "product-not-found": (404, "NOT_FOUND"),
            "order-not-found": (404, "NOT_FOUND"),
            "method-not-allowed": (405, "UNIMPLEMENTED"),
            "request-timeout": (408, "DEADLINE_EXCEEDED"),
            "out-of-stock": (409, "FAILED_PRECONDITION"),
            "idempotency-key-in-use": (409, "ABORTED"),
            "content-too-large": (413, "RESOURCE_EXHAUSTED"),
            "unsupported-media-type": (415, "INVALID_ARGUMENT"),
            "validation-failed": (422, "INVALID_ARGUMENT"),
            "idempotency-key-reused": (422, "FAILED_PRECONDITION"),
            "unknown-product": (422, "FAILED_PRECONDITION"),
            "unknown-payment-method": (422, "INVALID_ARGUMENT"),
            "too-many-requests": (429, "RESOURCE_EXHAUSTED"),
            "internal": (500, "INTERNAL"),
            "service-unavailable": (503, "UNAVAILABLE"),
            "overloaded": (503, "UNAVAILABLE"),
            "deadline-exceeded": (504, "DEADLINE_EXCEEDED"),
        }
        found = {slug: (entry.http_status, entry.grpc_status) for slug, entry in CATALOGUE.items()}
        assert promised.items() <= found.items()

    @pytest.mark.parametrize("slug", CATALOGUE)
    def test_each_row_is_whole(self, slug: str) -> None:
        entry = CATALOGUE[slug]
        assert re.fullmatch("[a-z]+(-[a-z]+)*", slug)
        assert entry.slug == slug
        assert entry.reason.lower().replace("_", "-") == slug
        assert entry.grpc_status in grpc.StatusCode.__members__
        assert 400 <= entry.http_status < 600
        assert entry.title
        assert entry.explanation.endswith(".")


class TestMoney:
    @given(st.lists(moneys, min_size=1))
    def test_sums_are_exact_whatever_their_order(self, some: list[Money]) -> None:
        assert total(some) == total(reversed(some)) == Money(sum(each.amount_minor for each in some), "EUR")

    @given(moneys, st.integers(min_value=1, max_value=50))
    def test_times_is_repeated_plus(self, money: Money, quantity: int) -> None:
        assert money.times(quantity) == total([money] * quantity)

    @given(moneys)
    def test_it_survives_the_wire(self, money: Money) -> None:
        assert from_proto(to_proto(money)) == money

    def test_currencies_do_not_mix(self) -> None:
        with pytest.raises(ValueError, match="USD"):
            Money(1, "EUR").plus(Money(1, "USD"))

    def test_nothing_has_no_sum(self) -> None:
        with pytest.raises(ValueError, match="no currency"):
            total([])


class TestPages:
    @given(st.integers(min_value=0, max_value=2**62), ids)
    def test_a_cursor_leads_back_to_its_key(self, number: int, text: str) -> None:
        cursor = pages.encode_cursor("orders", (number, text))
        assert re.fullmatch(r"[\w-]+", cursor, re.ASCII)
        assert pages.decode_cursor("orders", cursor, (int, str)) == (number, text)

    @given(st.text() | st.binary().map(bytes.hex))
    def test_whatever_is_made_up_is_told_from_a_cursor(self, made_up: str) -> None:
        with pytest.raises(ValueError, match="not a cursor of this listing"):
            pages.decode_cursor("orders", made_up, (int, str))

    @pytest.mark.parametrize(
        ("listing", "key"),
        [
            ("products", (1, "a")),
            ("orders", ("1", "a")),
            ("orders", (1,)),
            ("orders", (True, "a")),
            ("orders", (1, "")),
        ],
    )
    def test_a_cursor_of_something_else_is_refused(self, listing: str, key: tuple[str | int, ...]) -> None:
        with pytest.raises(ValueError, match="not a cursor of this listing"):
            pages.decode_cursor("orders", pages.encode_cursor(listing, key), (int, str))

    def test_numbers_that_no_column_holds_are_refused(self) -> None:
        with pytest.raises(ValueError, match="not a cursor of this listing"):
            pages.decode_cursor("orders", pages.encode_cursor("orders", (2**70, "a")), (int, str))


class TestTimes:
    @given(st.integers(min_value=0, max_value=2**52))
    def test_microseconds_survive_both_wires(self, moment: int) -> None:
        assert times.from_datetime(times.to_datetime(moment)) == moment
        assert times.to_timestamp(moment).ToMicroseconds() == moment


class TestSteps:
    def test_a_key_names_order_and_step(self) -> None:
        assert step_key("ord_1", Step.CAPTURE) == "ord_1:capture"

    @pytest.mark.parametrize(
        ("order_id", "key", "field"),
        [
            ("", ":capture", "order_id"),
            ("o" * 65, "", "order_id"),
            ("o\n", "", "order_id"),
            ("o", "o:void", "idempotency_key"),
        ],
    )
    def test_what_is_wrong_is_named(self, order_id: str, key: str, field: str) -> None:
        wrong = wrong_field(order_id, Step.CAPTURE, key)
        assert wrong is not None
        assert wrong[0] == field

    def test_the_right_key_is_fine(self) -> None:
        assert wrong_field("ord_1", Step.CAPTURE, "ord_1:capture") is None


class TestLines:
    @given(st.dictionaries(ids, st.integers(1, MAX_QUANTITY), min_size=1, max_size=MAX_LINES))
    def test_lines_within_the_limits_are_fine(self, basket: dict[str, int]) -> None:
        assert lines.wrong_fields(list(basket.items())) == []

    @pytest.mark.parametrize(
        ("given_", "fields"),
        [
            ([], {"lines"}),
            ([(f"p-{number}", 1) for number in range(MAX_LINES + 1)], {"lines"}),
            ([("p-1", 0)], {"lines[0].quantity"}),
            ([("p-1", 1), ("p-2", MAX_QUANTITY + 1)], {"lines[1].quantity"}),
            ([("p-1", 1), ("p-2", 1), ("p-1", 2)], {"lines[0].product_id", "lines[2].product_id"}),
            ([("p\x00", 1)], {"lines[0].product_id"}),
        ],
    )
    def test_each_wrong_field_is_named(self, given_: list[tuple[str, int]], fields: set[str]) -> None:
        assert {field for field, _ in lines.wrong_fields(given_)} == fields


@given(st.text(max_size=MAX_ID_LENGTH + 2))
def test_an_id_is_short_printable_ascii(text: str) -> None:
    expected = 0 < len(text) <= MAX_ID_LENGTH and all("!" <= each <= "~" for each in text)
    assert is_id(text) == expected
