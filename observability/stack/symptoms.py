"""Symptoms: what may be behind a customer's trouble, as data. Each is one alert."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from observability import semconv
from observability.semconv import Metric
from observability.stack.profiles import Severity, Window

METRICS: Final = {each.name: each for each in semconv.METRICS}
DASHBOARDS: Final = (
    "faultline-overview",
    "faultline-edges",
    "faultline-resilience",
    "faultline-chaos",
    "faultline-cost",
)


def known_metric(name: str) -> str:
    """Raises ValueError for a name that `observability.semconv` does not declare."""
    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}; observability/semconv/metrics.py declares those that are")
    return name


def check_attributes(metric: str, names: list[str]) -> None:
    """Raises ValueError where the metric has no such attribute."""
    for name in names:
        if name not in METRICS[metric].labels:
            raise ValueError(f"{metric} has no attribute {name!r}; its attributes: {', '.join(METRICS[metric].labels)}")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _dashboard(uid: str) -> str:
    if uid not in DASHBOARDS:
        raise ValueError(f"there is no dashboard {uid!r}; dashboards: {', '.join(DASHBOARDS)}")
    return uid


def known_counter(name: str) -> str:
    """As `known_metric`, and for one that is no counter."""
    if METRICS[known_metric(name)].kind != "counter":
        raise ValueError(f"{name} is a {METRICS[name].kind}, no counter")
    return name


MetricName = Annotated[str, AfterValidator(known_metric)]
CounterName = Annotated[str, AfterValidator(known_counter)]
Values = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
_PLACE: Final = re.compile(r"\{(\w+)\}")


def short_label(attribute: str) -> str:
    """The label an alert has for an attribute: `faultline.callee` → `callee`."""
    return attribute.rpartition(".")[2]


class _Symptom(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: Annotated[str, Field(min_length=1)]
    dashboard: Annotated[str, AfterValidator(_dashboard)]
    lasting: Annotated[Window | None, Field(alias="for")] = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What its alerts carry beside name and severity."""
        return ("service",)

    @model_validator(mode="after")
    def _places_are_labels(self) -> "_Symptom":
        for name in _PLACE.findall(self.summary):
            if name not in self.labels:
                raise ValueError(f"summary: the alert has no label {name!r}; its labels: {', '.join(self.labels)}")
        return self


class _OfMetric(_Symptom):
    metric: MetricName
    where: dict[str, Values] = {}
    by: tuple[str, ...] = ()
    above: Annotated[float, Field(ge=0)]
    severity: Severity

    @property
    def declared(self) -> Metric:
        return METRICS[self.metric]

    @property
    def labels(self) -> tuple[str, ...]:
        return ("service", *map(short_label, self.by))

    @model_validator(mode="after")
    def _attributes_exist(self) -> "_OfMetric":
        check_attributes(self.metric, [*self.where, *self.by])
        return self


class Gauge(_OfMetric):
    """The greatest of a service's replicas is above `above`; and one of the counters `while_growing` grew, if there are any.

    Those are summed by the same attributes over a service's replicas, and have `over` to grow in.
    """

    kind: Literal["gauge"]
    while_growing: tuple[CounterName, ...] = ()
    over: Window | None = None

    @property
    def counters(self) -> tuple[Metric, ...]:
        return tuple(METRICS[each] for each in self.while_growing)

    @model_validator(mode="after")
    def _is_a_gauge(self) -> "Gauge":
        if self.declared.kind != "gauge":
            raise ValueError(f"metric: {self.metric} is a {self.declared.kind}, no gauge")
        return self

    @model_validator(mode="after")
    def _counters_grow_over_a_window(self) -> "Gauge":
        for each in self.while_growing:
            check_attributes(each, [*self.by])
        if bool(self.while_growing) != (self.over is not None):
            raise ValueError("while_growing and over belong together")
        return self


class Rate(_OfMetric):
    """A counter, summed over a service's replicas, grows by more than `above` a second."""

    kind: Literal["rate"]
    over: Window

    @model_validator(mode="after")
    def _is_a_counter(self) -> "Rate":
        if self.declared.kind != "counter":
            raise ValueError(f"metric: {self.metric} is a {self.declared.kind}, no counter")
        return self


class Down(_Symptom):
    """A process cannot be scraped: `page` when no replica of the service can, `ticket` when some cannot."""

    kind: Literal["down"]


class Silent(_Symptom):
    """None of the requests that objectives count came."""

    kind: Literal["silent"]
    over: Window
    severity: Severity


class Always(_Symptom):
    """The watchdog."""

    kind: Literal["always"]

    @property
    def labels(self) -> tuple[str, ...]:
        return ()


Symptom = Annotated[Gauge | Rate | Down | Silent | Always, Field(discriminator="kind")]
