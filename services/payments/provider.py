"""The card provider's simulator: the one place of the system that waits on purpose.

It serves `concurrency` calls at a time, each for `latency` seconds (ten times as long for `pm_card_slow`), and lets
others queue: its capacity is concurrency / latency calls per second.
It remembers nothing: a token always behaves in the same way, so that asking again is asking the same.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from observability import semconv
from services.chassis.errors import ProblemError
from services.contracts import payment_methods
from services.payments.domain import Payment

CALLEE = "card-provider"

_SLOWNESS = {payment_methods.SLOW: 10.0}


class SimulatedProvider:
    """A CardProvider. `latency` is in seconds."""

    def __init__(self, concurrency: int, latency: float, tracer: Tracer) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._latency, self._tracer = latency, tracer

    async def authorize(self, payment: Payment) -> bool:
        with self._traced("authorize"):
            await self._take_time(payment)
            if payment.payment_method == payment_methods.FAILING:
                raise ProblemError("payment-provider-failed", "the card provider failed", retry_after=1.0)
            return payment.payment_method != payment_methods.DECLINED

    async def capture(self, payment: Payment) -> None:
        with self._traced("capture"):
            await self._take_time(payment)

    async def void(self, payment: Payment) -> None:
        with self._traced("void"):
            await self._take_time(payment)

    async def refund(self, payment: Payment) -> None:
        with self._traced("refund"):
            await self._take_time(payment)

    async def _take_time(self, payment: Payment) -> None:
        async with self._slots:
            await asyncio.sleep(self._latency * _SLOWNESS.get(payment.payment_method, 1.0))

    @contextmanager
    def _traced(self, operation: str) -> Iterator[None]:
        attributes = {semconv.CALLEE: CALLEE, semconv.OPERATION: operation}
        name = f"{CALLEE} {operation}"
        with self._tracer.start_as_current_span(
            name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except ProblemError as problem:
                span.set_status(Status(StatusCode.ERROR, str(problem)))
                raise
