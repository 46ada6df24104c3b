"""The use cases of payments over a store in memory and a provider that remembers."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.limits import MAX_LINES, MAX_QUANTITY
from services.contracts.money.money import CURRENCIES, EUR, MAX_AMOUNT_MINOR, Money
from services.contracts.steps import Step
from services.inventory.catalogue import products
from services.payments import domain, use_cases
from services.payments.domain import Payment, PaymentState
from services.payments.ports import Dependencies, Payments
from tests.fakes.payments import FakeProvider, PaymentData, payment_store
from tests.fakes.shop import ALICE, NOBODY, Clock
from tests.fakes.transactions import MemoryStore
from tests.refusals import quietly, refused

PRICE = Money(1234, EUR)
VISA, DECLINED, FAILING = "pm_card_visa", "pm_card_declined", "pm_card_failing"

Store = MemoryStore[PaymentData, Payments]


@pytest.fixture
def store() -> Store:
    return payment_store()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def deps(store: Store, provider: FakeProvider) -> Dependencies:
    return Dependencies(store, provider, Clock())


async def authorize(deps: Dependencies, method: str = VISA, amount: Money = PRICE) -> Payment:
    return await use_cases.authorize(deps, ALICE, "o", amount, method)


async def capture(deps: Dependencies) -> Payment:
    return await use_cases.capture(deps, ALICE, "o")


async def void(deps: Dependencies) -> Payment:
    return await use_cases.void(deps, ALICE, "o")


async def refund(deps: Dependencies) -> Payment:
    return await use_cases.refund(deps, ALICE, "o")


class TestEachStepTakesEffectOnce:
    async def test_a_charge(self, deps: Dependencies, provider: FakeProvider) -> None:
        for _ in range(3):
            assert (await authorize(deps)).state is PaymentState.AUTHORIZED
        for _ in range(3):
            assert (await capture(deps)).state is PaymentState.CAPTURED
        assert provider.calls == ["authorize", "capture"]
        assert provider.books == {"o": "captured"}

    async def test_a_void(self, deps: Dependencies, provider: FakeProvider) -> None:
        await authorize(deps)
        for _ in range(3):
            assert (await void(deps)).state is PaymentState.VOIDED
        assert provider.calls == ["authorize", "void"]

    async def test_a_refund(self, deps: Dependencies, provider: FakeProvider) -> None:
        await authorize(deps)
        await capture(deps)
        for _ in range(3):
            assert (await refund(deps)).state is PaymentState.REFUNDED
        assert provider.calls == ["authorize", "capture", "refund"]

    async def test_a_decline_stays_declined(self, deps: Dependencies, provider: FakeProvider) -> None:
        for _ in range(3):
            await refused("payment-declined", authorize(deps, DECLINED))
        assert provider.calls == ["authorize"]
        await refused("payment-closed", capture(deps))
        assert (await void(deps)).state is PaymentState.DECLINED

    async def test_authorizing_again_after_the_capture_answers_with_the_payment(self, deps: Dependencies) -> None:
        await authorize(deps)
        captured = await capture(deps)
        assert await authorize(deps) == captured


class TestWhatIsNotPossible:
    async def test_capture_needs_an_authorization(self, deps: Dependencies) -> None:
        await refused("payment-not-found", capture(deps))
        await authorize(deps)
        await void(deps)
        await refused("payment-closed", capture(deps))

    async def test_what_was_captured_is_refunded_not_voided(self, deps: Dependencies, provider: FakeProvider) -> None:
        await authorize(deps)
        await capture(deps)
        await refused("payment-closed", void(deps))
        assert provider.books == {"o": "captured"}

    async def test_refund_needs_a_capture(self, deps: Dependencies) -> None:
        await refused("payment-not-found", refund(deps))
        await authorize(deps)
        await refused("payment-closed", refund(deps))

    async def test_a_void_bars_what_comes_late(self, deps: Dependencies, provider: FakeProvider) -> None:
        assert (await void(deps)).state is PaymentState.VOIDED
        await refused("payment-closed", authorize(deps))
        assert provider.calls == []

    @pytest.mark.parametrize(
        ("method", "amount"), [(DECLINED, PRICE), (VISA, Money(1, EUR)), (VISA, Money(1234, "USD"))]
    )
    async def test_one_order_is_not_charged_for_two_things(
        self, deps: Dependencies, method: str, amount: Money
    ) -> None:
        await authorize(deps)
        await refused("idempotency-key-reused", authorize(deps, method, amount))

    @pytest.mark.parametrize("currency", sorted(CURRENCIES))
    def test_the_dearest_order_can_be_charged(self, currency: str) -> None:
        dearest = max(each.price.amount_minor for each in products(pieces=1)) * MAX_LINES * MAX_QUANTITY
        domain.check_charge(Money(dearest, currency), VISA)
        domain.check_charge(Money(MAX_AMOUNT_MINOR, currency), VISA)

    @pytest.mark.parametrize("amount", [Money(0, EUR), Money(-1, EUR), Money(1, "")])
    async def test_there_must_be_something_to_charge(self, deps: Dependencies, amount: Money, store: Store) -> None:
        await refused("validation-failed", authorize(deps, VISA, amount))
        assert store.data == {}

    async def test_the_method_must_be_known(self, deps: Dependencies, store: Store) -> None:
        await refused("unknown-payment-method", authorize(deps, "4242424242424242"))
        assert store.data == {}

    async def test_one_can_ask_how_it_stands(self, deps: Dependencies) -> None:
        await refused("payment-not-found", use_cases.get_payment(deps, ALICE, "o"))
        authorized = await authorize(deps)
        assert await use_cases.get_payment(deps, ALICE, "o") == authorized


class TestTheProviderFails:
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_asking_again_settles_it(self, deps: Dependencies, provider: FakeProvider, when: str) -> None:
        for step, state in ((authorize, "authorized"), (capture, "captured"), (refund, "refunded")):
            provider.failures = [when]
            await refused("payment-provider-failed", step(deps))
            assert (await step(deps)).state == state
            assert provider.books == {"o": state}

    async def test_a_card_that_always_fails_can_be_voided(self, deps: Dependencies, provider: FakeProvider) -> None:
        await refused("payment-provider-failed", authorize(deps, FAILING))
        assert (await void(deps)).state is PaymentState.VOIDED
        assert provider.books == {"o": "voided"}

    async def test_a_void_that_meets_a_lost_capture_finishes_it_and_is_refused(
        self, deps: Dependencies, provider: FakeProvider
    ) -> None:
        await authorize(deps)
        provider.failures = ["after"]
        await refused("payment-provider-failed", capture(deps))
        await refused("payment-closed", void(deps))
        assert (await refund(deps)).state is PaymentState.REFUNDED

    async def test_a_refund_that_meets_a_lost_capture_finishes_both(
        self, deps: Dependencies, provider: FakeProvider
    ) -> None:
        await authorize(deps)
        provider.failures = ["before"]
        await refused("payment-provider-failed", capture(deps))
        assert (await refund(deps)).state is PaymentState.REFUNDED
        assert provider.calls[-2:] == ["capture", "refund"]


async def test_a_void_while_the_provider_is_asked_wins(store: Store) -> None:
    """The provider sees the void first: what it sets aside afterwards is voided again."""

    class Slow(FakeProvider):
        async def authorize(self, payment: Payment) -> bool:
            await use_cases.void(Dependencies(store, self, Clock()), ALICE, "o")
            self.books.clear()  # the void came before there was anything to void
            return await super().authorize(payment)

    slow = Slow()
    deps = Dependencies(store, slow, Clock())
    await refused("payment-closed", authorize(deps))
    assert slow.books == {"o": "voided"}
    assert store.data["o"].state is PaymentState.VOIDED


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (use_cases.authorize, ("o", PRICE, VISA)),
        (use_cases.capture, ("o",)),
        (use_cases.void, ("o",)),
        (use_cases.refund, ("o",)),
        (use_cases.get_payment, ("o",)),
    ],
)
async def test_everything_needs_its_scope(deps: Dependencies, call: Any, arguments: tuple[Any, ...]) -> None:
    await refused("forbidden", call(deps, NOBODY, *arguments))


async def test_every_operation_is_declared(deps: Dependencies, store: Store) -> None:
    await authorize(deps)
    await use_cases.get_payment(deps, ALICE, "o")
    await capture(deps)
    await refund(deps)
    await use_cases.authorize(deps, ALICE, "o-2", PRICE, VISA)
    await use_cases.void(deps, ALICE, "o-2")
    assert set(store.operations) == set(use_cases.OPERATIONS)


def test_every_state_is_reached_and_left_as_drawn() -> None:
    moves = {(before, after) for (before, _), after in domain.BEGINS.items()} | set(domain.ENDS.items())
    moves.add((PaymentState.AUTHORIZING, PaymentState.DECLINED))
    reached = {after for _, after in moves} | {PaymentState.AUTHORIZING}
    assert reached == set(PaymentState)
    assert {before for before, _ in moves} == set(PaymentState) - {
        PaymentState.DECLINED,
        PaymentState.VOIDED,
        PaymentState.REFUNDED,
    }
    assert (PaymentState.CAPTURING, PaymentState.VOIDING) not in moves


STEPS = {"authorize": authorize, "capture": capture, "void": void, "refund": refund}
FINAL_BOOKS = {
    PaymentState.AUTHORIZED: "authorized",
    PaymentState.CAPTURED: "captured",
    PaymentState.VOIDED: "voided",
    PaymentState.REFUNDED: "refunded",
}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(["", "before", "after"])), max_size=20))
def test_whatever_is_asked_and_fails_our_books_and_the_providers_agree(asked: list[tuple[str, str]]) -> None:
    store, provider = payment_store(), FakeProvider()
    deps = Dependencies(store, provider, Clock())
    captures = 0
    for step, failure in asked:
        before = provider.books.get("o")
        provider.failures = [failure] if failure else []
        asyncio.run(quietly(STEPS[step](deps)))
        captures += before != "captured" and provider.books.get("o") == "captured"
        payment = store.data.get("o")
        if payment and not payment.under_way and provider.books:
            assert provider.books["o"] == FINAL_BOOKS[payment.state]
    assert captures <= 1


def test_only_the_steps_of_payments_are_in_the_table() -> None:
    assert set(domain.SATISFIED) == {Step.AUTHORIZE, Step.CAPTURE, Step.VOID, Step.REFUND}
