"""Events of spans."""

from typing import Final

EVENT_ATTEMPT_TIMEOUT: Final = "faultline.attempt.timeout"
EVENT_DEADLINE_EXCEEDED: Final = "faultline.deadline.exceeded"  # spent while the work was in flight
EVENT_DEADLINE_REFUSED: Final = "faultline.deadline.refused"  # already spent, so the work never started
EVENT_RETRY: Final = "faultline.retry"  # another attempt will be made
EVENT_RETRY_STOPPED: Final = "faultline.retry.stopped"  # none will, though the outcome would allow it
EVENT_BUDGET_EXHAUSTED: Final = "faultline.retry_budget.exhausted"
EVENT_HEDGE: Final = "faultline.hedge"  # a second attempt is made beside the first
EVENT_HEDGE_ENDED: Final = "faultline.hedge.ended"
EVENT_BREAKER: Final = "faultline.circuit_breaker.transition"
EVENT_BREAKER_REJECTED: Final = "faultline.circuit_breaker.rejected"
EVENT_BULKHEAD_QUEUED: Final = "faultline.bulkhead.queued"
EVENT_BULKHEAD_REJECTED: Final = "faultline.bulkhead.rejected"
EVENT_FALLBACK: Final = "faultline.fallback"  # there was no answer; a fallback was asked for one
EVENT_FAULT_INJECTED: Final = "faultline.fault.injected"
EVENT_SERVER_SHED: Final = "faultline.server.shed"  # a server refused a request before it began with it
EVENT_CHECKOUT_STEP: Final = "faultline.checkout.step"
EVENT_CHECKOUT_TURNED: Final = "faultline.checkout.turned"  # the order is cancelled, or given up
