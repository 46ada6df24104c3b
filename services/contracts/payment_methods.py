"""The payment methods of the card provider's test mode: tokens, never card numbers.

Each token decides how the simulated provider behaves, so that every ending of a checkout can be had on demand.
"""

from collections.abc import Mapping
from types import MappingProxyType

VISA = "pm_card_visa"
DECLINED = "pm_card_declined"
SLOW = "pm_card_slow"
FAILING = "pm_card_failing"

PAYMENT_METHODS: Mapping[str, str] = MappingProxyType(
    {
        VISA: "is charged at once",
        DECLINED: "is declined by the provider",
        SLOW: "takes ten times as long as others",
        FAILING: "makes the provider fail, so that the outcome stays unknown",
    }
)
"""Token → what happens."""
