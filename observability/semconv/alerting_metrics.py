"""The metrics of the process that receives notifications and, without a Prometheus, evaluates the objectives."""

from typing import Final

from observability.semconv.attributes import ALERTS_RESULT
from observability.semconv.metric import Metric

ALERTS_NOTIFICATIONS: Final = Metric(
    "faultline.alerts.notifications",
    "{request}",
    "counter",
    (ALERTS_RESULT,),
    "Notifications that were sent here, by what became of them.",
)
ALERTS_SCRAPES: Final = Metric(
    "faultline.alerts.scrapes",
    "{request}",
    "counter",
    (ALERTS_RESULT,),
    "Processes asked for their metrics where there is no Prometheus to do it.",
)
ALERTS_PROMETHEUS_CHECKS: Final = Metric(
    "faultline.alerts.prometheus_checks",
    "{request}",
    "counter",
    (ALERTS_RESULT,),
    "Looks at the Prometheus that evaluates, by whether it does; where it fails, this process evaluates.",
)
ALERTING_METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
