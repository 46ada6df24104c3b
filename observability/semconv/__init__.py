"""Every name that telemetry uses: attributes, events, headers and metrics.

Attribute names come from OpenTelemetry's package where it has them; `faultline.*` names are our own.
Metrics are declared once here, in OpenTelemetry's terms (dotted names, UCUM units); their Prometheus names follow from
OpenTelemetry's rules.
"""

from observability.semconv.alerting_metrics import *  # noqa: F403  # one place to look for a name, in files to be read
from observability.semconv.attributes import *  # noqa: F403  # as above
from observability.semconv.backend_metrics import *  # noqa: F403  # as above
from observability.semconv.events import *  # noqa: F403  # as above
from observability.semconv.fields import *  # noqa: F403  # as above
from observability.semconv.metric import Metric as Metric
from observability.semconv.metric import prometheus_label as prometheus_label
from observability.semconv.metrics import *  # noqa: F403  # as above
from observability.semconv.values import *  # noqa: F403  # as above
