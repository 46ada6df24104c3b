"""Values of bounded attributes, so that counters can exist at 0."""

from typing import Final

CHECKOUT_OUTCOMES: Final = (
    "confirmed",
    "declined",
    "out_of_stock",
    "unknown_product",
    "cancelled",
    "given_up",
    "pending",
    "failed",
)
RECOVERY_ELSEWHERE: Final = "elsewhere"  # somebody else was quicker
RECOVERY_BLIND: Final = "blind"  # the store did not say what is due
RECOVERY_OUTCOMES: Final = (
    "confirmed",
    "rejected",
    "cancelled",
    "pending",
    "failed",
    RECOVERY_ELSEWHERE,
    RECOVERY_BLIND,
)
BUDGET_RESULTS: Final = ("granted", "refused")
CUT_CROWDED: Final = "crowded"  # far more are open than are served
CUT_SILENT: Final = "silent"  # nothing was ever asked on it
CUT_UNFINISHED: Final = "unfinished"  # the rest of a body did not come to an end after its request was answered
CONNECTION_CUTS: Final = (CUT_CROWDED, CUT_SILENT, CUT_UNFINISHED)
FALLBACK_RESULTS: Final = ("served", "missing")
SPANS_EXPORTED: Final = "exported"
SPANS_DROPPED: Final = "dropped"  # the queue was full, or telemetry had stopped
SPANS_FAILED: Final = "failed"  # the collector did not take them
TELEMETRY_RESULTS: Final = (SPANS_EXPORTED, SPANS_DROPPED, SPANS_FAILED)
BACKEND_DROPPED: Final = "dropped"
BACKEND_RESULTS: Final = (
    "taken",
    "refused",  # ids that are none, or too large
    BACKEND_DROPPED,  # taken once, and forgotten to stay in bounds
)
BACKEND_FORWARD_RESULTS: Final = (
    "forwarded",
    "failed",  # the next collector did not take them
    "dropped",  # there was no room for them to wait
)
NOTIFICATION_ACCEPTED: Final = "accepted"
NOTIFICATION_MALFORMED: Final = "malformed"
NOTIFICATION_UNAUTHORIZED: Final = "unauthorized"
NOTIFICATION_RESULTS: Final = (NOTIFICATION_ACCEPTED, NOTIFICATION_MALFORMED, NOTIFICATION_UNAUTHORIZED)
SCRAPE_ANSWERED: Final = "answered"
SCRAPE_FAILED: Final = "failed"
SCRAPE_RESULTS: Final = (SCRAPE_ANSWERED, SCRAPE_FAILED)
