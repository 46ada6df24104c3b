"""The recovery: a loop that carries on the orders which nobody drives any more, after a crash or an outage.

It looks for due orders, takes a few at a time, and drives each under a span that begins a trace of its own, linked to the
one in which the order was placed. An order that comes no further is left alone for a while, longer each time; but no longer
than until a peer that was away may be asked again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from observability import semconv
from observability.telemetry import Telemetry
from observability.unsampled import unsampled
from services.chassis.errors import CallError
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.rounds import Rounds
from services.orders import origin, use_cases
from services.orders.domain import Order
from services.orders.driver import DrivenElsewhereError
from services.orders.ports import Dependencies, StepPostponedError

log = logging.getLogger(__name__)

DRIVE_S = 4.0
"""Seconds that one drive may take: less than a lease, so that nobody else begins meanwhile."""

_STILL_DUE = frozenset({"pending", "failed"})


class Recovery(Rounds):
    """A component. `interval` is how long it waits, in seconds, when little is due; `concurrency` orders at a time.

    `comebacks` say of each peer whether it may be asked again after it could not; they are asked in each round.
    """

    def __init__(
        self,
        deps: Dependencies,
        telemetry: Telemetry,
        interval: float,
        concurrency: int,
        comebacks: Sequence[Callable[[], bool]] = (),
    ) -> None:
        super().__init__("recovery", concurrency, interval)
        self._deps, self._tracer, self._metrics = deps, telemetry.tracer, telemetry.metrics
        self._concurrency, self._comebacks, self._in_haste = concurrency, comebacks, False
        for outcome in semconv.RECOVERY_OUTCOMES:
            self._metrics.zero(semconv.RECOVERIES, outcome)

    async def round(self) -> int:
        """Drives those orders that have been due for longest; how many they were, or none if not one of them ended."""
        orders = await self._due()
        ended = await asyncio.gather(*map(self._recover, orders))
        return len(orders) if any(ended) else 0

    async def _due(self) -> Sequence[Order]:
        try:
            with unsampled():
                await self._hasten()
                return await use_cases.due_orders(self._deps, self._concurrency)
        except CallError as error:
            log.warning("the recovery cannot see what is due", extra={"error": str(error)})
        except Exception:  # a defect, which must not end the loop
            log.exception("the recovery cannot see what is due")
        self._metrics.add(semconv.RECOVERIES, semconv.RECOVERY_BLIND)
        return ()

    async def _hasten(self) -> None:
        said = [each() for each in self._comebacks]
        self._in_haste = self._in_haste or any(said)  # until the store has done it, which may be away
        if self._in_haste:
            await use_cases.hasten(self._deps)
            self._in_haste = False

    async def _recover(self, order: Order) -> bool:
        """Whether the order needs the recovery no more."""
        with self._span(order) as span, deadline.bound(Deadline.after(DRIVE_S)):
            outcome = await self._outcome(order, span)
            span.set_attribute(semconv.RECOVERY_OUTCOME, outcome)
            self._metrics.add(semconv.RECOVERIES, outcome)
            log.info("order recovered", extra={"order_id": order.order_id, "outcome": outcome})
            return outcome not in _STILL_DUE

    def _span(self, order: Order) -> contextlib.AbstractContextManager[Span]:
        attributes: dict[str, AttributeValue] = {
            semconv.ORDER_ID: order.order_id,
            semconv.ORDER_STATE: order.state,
            semconv.RECOVERY_FAILURES: order.failures,
        }
        return self._tracer.start_as_current_span(
            "recover order", Context(), attributes=attributes, links=origin.links(order.origin)
        )

    async def _outcome(self, order: Order, span: Span) -> str:
        try:
            return (await use_cases.recover(self._deps, order)).status
        except DrivenElsewhereError:
            return semconv.RECOVERY_ELSEWHERE
        except (CallError, StepPostponedError) as error:
            log.warning("order stays pending", extra={"order_id": order.order_id, "error": str(error)})
            return "pending"
        except Exception as error:  # a defect, which must not keep the other orders from being recovered
            log.exception("order cannot be recovered", extra={"order_id": order.order_id})
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return "failed"
