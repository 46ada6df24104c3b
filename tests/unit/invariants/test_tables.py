"""The columns and the states that the checker relies on are those of the services."""

from dataclasses import replace
from typing import Any, get_args, get_type_hints

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from chaos.invariants import tables
from chaos.invariants.acknowledged import REJECTIONS, Status, status_of_answer
from chaos.invariants.tables import NOT_CHARGED, RELEASED, STORES, TAKEN, Order, Payment, Row, columns_of
from services.contracts.errors import CATALOGUE
from services.inventory import repository as inventory
from services.inventory.domain import ReservationState
from services.orders import domain
from services.orders import repository as orders
from services.orders.domain import GIVEN_UP, TRANSITIONS, OrderState
from services.payments import repository as payments
from services.payments.domain import PaymentState

METADATA = {"orders": orders.metadata, "inventory": inventory.metadata, "payments": payments.metadata}
KINDS = [(store, kind) for store, kinds in STORES.items() for kind in kinds]


@pytest.mark.parametrize(("store", "kind"), KINDS, ids=lambda each: getattr(each, "TABLE", each))
def test_the_columns_are_those_of_the_service(store: str, kind: type[Row]) -> None:
    assert theirs(METADATA[store], kind) == ours(kind)


@pytest.mark.parametrize(
    "changed",
    [
        Column("amount", BigInteger),
        Column("amount_minor", Text),
        Column("amount_minor", BigInteger, nullable=False),
    ],
    ids=["another name", "another type", "never NULL"],
)
def test_a_change_of_a_column_is_noticed(changed: Column[Any]) -> None:
    kept = [each for each in payments.payments.columns if each.name != "amount_minor"]
    others = [Column(each.name, each.type, nullable=each.nullable) for each in kept]
    metadata = MetaData()
    Table("payments", metadata, *others, changed)
    assert theirs(metadata, Payment) != ours(Payment)


@pytest.mark.parametrize(("store", "kind"), KINDS, ids=lambda each: getattr(each, "TABLE", each))
def test_the_keys_are_those_of_the_service(store: str, kind: type[Row]) -> None:
    assert tuple(each.name for each in METADATA[store].tables[kind.TABLE].primary_key) == kind.KEY


def test_every_store_with_a_schema_is_read() -> None:
    assert METADATA.keys() == STORES.keys()


@pytest.mark.parametrize("store", METADATA)
def test_a_new_table_is_a_question_for_the_checker(store: str) -> None:
    """What is in it that must be true? Then it is read; else it is named here."""
    not_read: dict[str, set[str]] = {}
    assert set(METADATA[store].tables) - {each.TABLE for each in STORES[store]} == not_read.get(store, set())


@pytest.mark.parametrize("state", OrderState)
def test_a_state_of_an_order_has_the_services_status(state: OrderState) -> None:
    request = domain.Request((domain.OrderLine("p-1", 1),), "pm_card_visa")
    placed = domain.placed("ord-1", "user-1", "tests", request, 0)
    status = Order("ord-1", "user-1", state, None, None, 1, None, 0, None, None, None, None).status
    assert status == replace(placed, state=state).status
    assert status in get_args(Status)


def test_the_states_of_a_payment_are_known() -> None:
    """A new one may cost the customer something, or may not: `NOT_CHARGED` must say so."""
    on_the_way = {"authorizing", "authorized", "capturing", "voiding", "refunding"}
    assert set(PaymentState) == {tables.CAPTURED, *NOT_CHARGED, *on_the_way}


def test_the_states_of_a_reservation_are_known() -> None:
    assert set(ReservationState) == {*TAKEN, RELEASED}


def test_a_refusal_that_ends_an_order_is_told_as_its_rejection() -> None:
    refusals = {slug for each in TRANSITIONS.values() for slug in each.refusals} | set(GIVEN_UP.values())
    assert refusals == REJECTIONS
    assert {status_of_answer(CATALOGUE[slug].http_status, slug) for slug in refusals} == {"rejected"}


def ours(kind: type[Row]) -> dict[str, tuple[type, bool]]:
    """Column → its type and whether it may be NULL, as the checker has it."""
    hints = get_type_hints(kind)
    return {name: _read(hints[name]) for name in columns_of(kind)}


def theirs(metadata: MetaData, kind: type[Row]) -> dict[str, tuple[type, bool]]:
    """The same, as the service has it, of the columns that the checker reads."""
    columns = metadata.tables[kind.TABLE].columns
    return {each.name: (each.type.python_type, bool(each.nullable)) for each in columns if each.name in ours(kind)}


def _read(hint: Any) -> tuple[type, bool]:
    types = [each for each in get_args(hint) or (hint,) if each is not type(None)]
    return types[0], type(None) in get_args(hint)


@pytest.mark.parametrize(
    ("confirmed_at_us", "cancelled_at_us", "since_us"),
    [
        (None, None, 1),
        (None, 7, 1),  # a cancellation does not start the time of a stuck order anew
        (3, 7, 7),  # it was final in between
    ],
)
def test_an_order_is_pending_since(confirmed_at_us: int | None, cancelled_at_us: int | None, since_us: int) -> None:
    order = Order("ord-1", "user-1", "refunding", None, None, 1, None, 1, None, cancelled_at_us, 9, confirmed_at_us)
    assert order.pending_since_us == since_us
