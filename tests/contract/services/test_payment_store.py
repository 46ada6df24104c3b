"""What every PaymentStore keeps: the one in memory, and SQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.contracts.money.money import EUR, Money
from services.payments import use_cases
from services.payments.domain import Payment, PaymentState, authorizing, never_begun
from services.payments.ports import Dependencies, Payments, PaymentStore
from services.payments.repository import SqlPaymentStore, metadata
from tests.contract.services.conftest import opener
from tests.contract.services.running import running
from tests.fakes.payments import FakeProvider, payment_store
from tests.fakes.shop import ALICE, Clock

PAYMENT = authorizing("o", Money(1234, EUR), "pm_card_visa", 1_700_000_000_000_001)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[PaymentStore]:
    if request.param == "memory":
        yield payment_store()
        return
    database = opener(request, request.param)(metadata)
    async with running(database):
        yield SqlPaymentStore(database)


async def stored(store: PaymentStore) -> Payment | None:
    return await store.read("look", lambda payments: payments.get("o"))


async def test_it_keeps_a_payment_as_it_is(store: PaymentStore) -> None:
    assert await stored(store) is None
    assert await store.write("add", lambda payments: payments.add(PAYMENT))
    assert await stored(store) == PAYMENT


async def test_it_keeps_one_that_never_began(store: PaymentStore) -> None:
    assert await store.write("add", lambda payments: payments.add(never_begun("o", 7)))
    assert await stored(store) == never_begun("o", 7)


async def test_it_keeps_one_to_an_order(store: PaymentStore) -> None:
    assert await store.write("add", lambda payments: payments.add(PAYMENT))
    assert not await store.write("add", lambda payments: payments.add(never_begun("o", 7)))
    assert await stored(store) == PAYMENT


@pytest.mark.parametrize("state", PaymentState)
async def test_it_keeps_every_state(store: PaymentStore, state: PaymentState) -> None:
    await store.write("add", lambda payments: payments.add(PAYMENT))
    moved = PAYMENT.moved(state, 1_700_000_000_000_009)
    assert await store.write("move", lambda payments: payments.move(moved, PaymentState.AUTHORIZING))
    assert await stored(store) == moved


async def test_it_moves_a_payment_only_from_where_it_is(store: PaymentStore) -> None:
    await store.write("add", lambda payments: payments.add(PAYMENT))
    captured = PAYMENT.moved(PaymentState.CAPTURED, 1)
    assert not await store.write("move", lambda payments: payments.move(captured, PaymentState.CAPTURING))
    assert await stored(store) == PAYMENT


async def test_it_undoes_what_raises(store: PaymentStore) -> None:
    async def work(payments: Payments) -> None:
        await payments.add(PAYMENT)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await store.write("fail", work)
    assert await stored(store) is None


async def test_the_same_charge_at_the_same_time_is_one(store: PaymentStore) -> None:
    provider = FakeProvider()
    deps = Dependencies(store, provider, Clock())
    await asyncio.gather(*(use_cases.authorize(deps, ALICE, "o", Money(1234, EUR), "pm_card_visa") for _ in range(8)))
    await asyncio.gather(*(use_cases.capture(deps, ALICE, "o") for _ in range(8)))
    found = await stored(store)
    assert found
    assert (found.state, found.amount) == (PaymentState.CAPTURED, Money(1234, EUR))
    assert provider.books == {"o": "captured"}
