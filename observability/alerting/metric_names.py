"""The process's own metrics, declared as `observability.semconv` declares those of services."""

from typing import Final

from observability.semconv import Metric

RESULT: Final = "faultline.alerts.result"

ACCEPTED: Final = "accepted"
MALFORMED: Final = "malformed"
UNAUTHORIZED: Final = "unauthorized"
NOTIFICATION_RESULTS: Final = (ACCEPTED, MALFORMED, UNAUTHORIZED)

ANSWERED: Final = "answered"
FAILED: Final = "failed"
SCRAPE_RESULTS: Final = (ANSWERED, FAILED)

NOTIFICATIONS: Final = Metric(
    "faultline.alerts.notifications",
    "{request}",
    "counter",
    (RESULT,),
    "Notifications that were sent here, by what became of them.",
)
SCRAPES: Final = Metric(
    "faultline.alerts.scrapes",
    "{request}",
    "counter",
    (RESULT,),
    "Processes asked for their metrics where there is no Prometheus to do it.",
)
ALERTS: Final = Metric(
    "faultline.alerts.firing", "{alert}", "gauge", (), "Alerts that fire right now, where this process evaluates them."
)
