"""The card provider's simulator: its answers, its capacity."""

import asyncio
import time

import pytest
from opentelemetry.trace import NoOpTracer

from services.contracts.money.money import EUR, Money
from services.contracts.payment_methods import PAYMENT_METHODS
from services.payments.domain import Payment, authorizing
from services.payments.provider import SimulatedProvider
from tests.refusals import refused


def payment(method: str) -> Payment:
    return authorizing("o", Money(1, EUR), method, 0)


@pytest.fixture
def provider() -> SimulatedProvider:
    return SimulatedProvider(concurrency=2, latency=0.0, tracer=NoOpTracer())


@pytest.mark.parametrize(
    ("method", "approved"), [("pm_card_visa", True), ("pm_card_slow", True), ("pm_card_declined", False)]
)
async def test_a_token_decides_the_answer(provider: SimulatedProvider, method: str, approved: bool) -> None:
    assert await provider.authorize(payment(method)) is approved


async def test_the_failing_card_fails_to_authorize_and_can_be_voided(provider: SimulatedProvider) -> None:
    await refused("payment-provider-failed", provider.authorize(payment("pm_card_failing")))
    await provider.void(payment("pm_card_failing"))


async def test_its_capacity_is_what_it_declares() -> None:
    """Twelve calls, four at a time, 50 ms each: three rounds."""
    provider = SimulatedProvider(concurrency=4, latency=0.05, tracer=NoOpTracer())
    started = time.perf_counter()
    await asyncio.gather(*(provider.capture(payment("pm_card_visa")) for _ in range(12)))
    assert time.perf_counter() - started >= 0.15


async def test_the_slow_card_takes_ten_times_as_long() -> None:
    provider = SimulatedProvider(concurrency=1, latency=0.02, tracer=NoOpTracer())
    started = time.perf_counter()
    await provider.refund(payment("pm_card_slow"))
    assert time.perf_counter() - started >= 0.2


def test_every_token_is_explained() -> None:
    assert set(PAYMENT_METHODS) == {"pm_card_visa", "pm_card_declined", "pm_card_slow", "pm_card_failing"}
