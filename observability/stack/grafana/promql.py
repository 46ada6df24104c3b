"""Expressions in PromQL, put together from the declared metrics.

`matchers` are written as in PromQL, such as `service=~"$service"`. A rate is taken over Grafana's `$__rate_interval`,
which is never too short for the interval at which Prometheus scrapes.
"""

from collections.abc import Sequence
from typing import Final

from observability import semconv
from observability.semconv import Metric, prometheus_label

SERVICE: Final = "service"
INSTANCE: Final = "instance"
"""Labels that Prometheus gives every target of ours."""

CALLEE: Final = prometheus_label(semconv.CALLEE)
OPERATION: Final = prometheus_label(semconv.OPERATION)
OUTCOME: Final = prometheus_label(semconv.OUTCOME)
EXPERIMENT: Final = prometheus_label(semconv.EXPERIMENT)
FAULT_KIND: Final = prometheus_label(semconv.FAULT_KIND)
HTTP_STATUS: Final = prometheus_label(semconv.HTTP_RESPONSE_STATUS_CODE)
RPC_STATUS: Final = prometheus_label(semconv.RPC_RESPONSE_STATUS_CODE)

EDGE: Final = f"{SERVICE}, {CALLEE}"
"""Who calls whom."""

BAD_HTTP: Final = f'{HTTP_STATUS}=~"5..|408|425|429"'
BAD_RPC: Final = f'{RPC_STATUS}=~"DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE"'
"""Answers that are the server's fault, or its refusal for want of room; whoever asks for what cannot be had is served."""
BAD_CALL: Final = f'{OUTCOME}=~"failure|backpressure|rejected"'


def select(metric: Metric | str, *matchers: str) -> str:
    """The metric's series. Of a histogram, name the part: `count_of`, `sum_of`, `buckets_of`."""
    name = metric if isinstance(metric, str) else metric.prometheus_name
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def count_of(metric: Metric) -> str:
    """The name of a histogram's number of values."""
    return f"{metric.prometheus_name}_count"


def sum_of(metric: Metric) -> str:
    """The name of a histogram's sum."""
    return f"{metric.prometheus_name}_sum"


def rate(metric: Metric | str, *matchers: str) -> str:
    """Per second."""
    return f"rate({select(metric, *matchers)}[$__rate_interval])"


def increase(metric: Metric | str, *matchers: str) -> str:
    """Over the whole time that the dashboard shows."""
    return f"increase({select(metric, *matchers)}[$__range])"


def total(by: str, expression: str) -> str:
    """Added up, one series for each value of the labels `by`; of none, one."""
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def share(by: str, part: str, whole: str) -> str:
    """How much of `whole` is `part`, also where there is nothing of it: 0, not a gap. Both are expressions before summing."""
    of = total(by, whole)
    return f"({total(by, part)} or 0 * {of}) / {of}"


def busy(expression: str) -> str:
    """Without the series that are at zero: where most of many are, they would hide the one that is not."""
    return f"{expression} > 0"


def quantile(q: float, by: str, metric: Metric, *matchers: str) -> str:
    """The value that the share `q` of the histogram's values does not exceed."""
    inner = total(f"{by}, le" if by else "le", rate(f"{metric.prometheus_name}_bucket", *matchers))
    return f"histogram_quantile({q:g}, {inner})"


def mean(by: str, metric: Metric, *matchers: str) -> str:
    """The mean of a histogram's values."""
    return f"{total(by, rate(sum_of(metric), *matchers))} / {total(by, rate(count_of(metric), *matchers))}"


def first_of(alternatives: Sequence[str]) -> str:
    """Each series from the first that has it."""
    return " or ".join(alternatives)
