"""The objectives, symptoms and windows: what `slo.yaml` says, validated. A complaint names the line."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from observability import semconv
from observability.stack.lines import Document, DuplicateError
from observability.stack.profiles import BurnRate, Profile, Window
from observability.stack.symptoms import MetricName, Symptom, Values, check_attributes

FILE: Final = Path(__file__).with_name("slo.yaml")

Aspect = Literal["availability", "latency", "pending", "degraded"]
ASPECTS: Final[tuple[Aspect, ...]] = ("availability", "latency", "pending", "degraded")


class ObjectivesError(ValueError):
    """The file of objectives is not as it should be; the text names the file, and line and field of all that is wrong."""


def _bucket(seconds: float) -> float:
    bounds = semconv.HTTP_SERVER_REQUEST_DURATION.buckets or ()
    if seconds not in bounds:
        raise ValueError(f"{seconds} is no bucket's bound; bounds: {', '.join(map(str, bounds))}")
    return seconds


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requests(_Strict):
    """A route of the gateway that is counted."""

    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH"]
    route: Annotated[str, Field(pattern="^/")]


class Goal(_Strict):
    """`target`: the share of requests that must be as the objective says."""

    target: Annotated[float, Field(gt=0, lt=1)]

    @property
    def budget(self) -> float:
        """The share that need not."""
        return round(1 - self.target, 12)


class Availability(Goal):
    """Good requests."""


class Latency(Goal):
    """Requests that are answered within `threshold_s` seconds."""

    threshold_s: Annotated[float, AfterValidator(_bucket)]


class Pending(Goal):
    """Requests that are settled at once."""


class Degraded(Goal):
    """Requests that no fallback had to answer: the counter `metric`, where its attributes are so, counts those it did."""

    metric: MetricName
    where: dict[str, Values] = {}

    @model_validator(mode="after")
    def _attributes_exist(self) -> "Degraded":
        check_attributes(self.metric, list(self.where))
        return self


class Objective(_Strict):
    """What the customers of one journey may expect."""

    description: Annotated[str, Field(min_length=1)]
    requests: Annotated[tuple[Requests, ...], Field(min_length=1)]
    availability: Availability
    latency: Latency
    pending: Pending | None = None
    degraded: Degraded | None = None

    def goals(self) -> Iterator[tuple[Aspect, Goal]]:
        """Those that it has."""
        for aspect in ASPECTS:
            if (goal := getattr(self, aspect)) is not None:
                yield aspect, goal


class Links(_Strict):
    """Base addresses of the pages that an alert's links lead to."""

    runbooks: Annotated[str, Field(pattern="^https?://.*[^/]$")]
    dashboards: Annotated[str, Field(pattern="^https?://.*[^/]$")]


Journey = Annotated[str, Field(pattern="^[a-z]+$")]
AlertName = Annotated[str, Field(pattern="^([A-Z][a-z]+)+$")]
Objectives = Mapping[str, Objective]
"""By the name of the journey."""


class Slo(_Strict):
    """The whole file."""

    objectives: Annotated[dict[Journey, Objective], Field(min_length=1)]
    least_bad: Annotated[int, Field(ge=1)]
    burn_rates: Annotated[tuple[BurnRate, ...], Field(min_length=1)]
    symptoms: dict[AlertName, Symptom]
    profiles: dict[Literal["production", "demo"], Profile]
    links: Links

    @property
    def alert_names(self) -> list[str]:
        """Of all alerts that are made from it."""
        goals = ((journey, aspect) for journey, each in self.objectives.items() for aspect, _ in each.goals())
        return [*(alert_name(journey, aspect) for journey, aspect in goals), *self.symptoms]


def load(file: Path = FILE) -> Objectives:
    """The objectives alone. Raises ObjectivesError."""
    return load_all(file).objectives


def load_all(file: Path = FILE) -> Slo:
    """Raises ObjectivesError."""
    document = _read(file)
    try:
        found = Slo.model_validate(document.content)
    except ValidationError as exc:
        wrong = [(tuple(each["loc"]), each["msg"]) for each in exc.errors()]
        raise _error(file, document, wrong) from exc
    if wrong := list(_contradictions(found)):
        raise _error(file, document, wrong)
    return found


def _read(file: Path) -> Document:
    try:
        return Document(file.read_text("utf-8"))
    except OSError as exc:
        raise ObjectivesError(f"{file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ObjectivesError(f"{file}: not UTF-8: {exc.reason}") from exc
    except DuplicateError as exc:
        raise ObjectivesError(f"{file}:{exc.line}: {exc}") from exc
    except yaml.YAMLError as exc:
        raise ObjectivesError(f"{file}: not YAML: {exc}") from exc


_Path = tuple[str | int, ...]


def _error(file: Path, document: Document, wrong: list[tuple[_Path, str]]) -> ObjectivesError:
    rows = sorted((document.line(path), ".".join(map(str, path)), message) for path, message in wrong)
    return ObjectivesError("\n".join(f"{file}:{line}: {path}: {message}" for line, path, message in rows))


def _contradictions(found: Slo) -> Iterator[tuple[_Path, str]]:
    yield from _overlaps(found)
    yield from _unreachable(found)
    yield from _missing_windows(found)


def alert_name(journey: str, aspect: Aspect) -> str:
    """`checkout`, `availability` → `CheckoutAvailabilityBurnRate`."""
    return f"{journey.capitalize()}{aspect.capitalize()}BurnRate"


def _overlaps(found: Slo) -> Iterator[tuple[_Path, str]]:
    """Two alerts of one name, a request that two journeys count, or one journey twice."""
    names = {alert_name(journey, aspect) for journey in found.objectives for aspect in ASPECTS}
    for name in names & set(found.symptoms):
        yield ("symptoms", name), "an objective's alert has this name"
    counted: dict[tuple[str, str], str] = {}
    for journey, objective in found.objectives.items():
        for index, each in enumerate(objective.requests):
            if other := counted.get((each.method, each.route)):
                yield ("objectives", journey, "requests", index), f"{each.method} {each.route} is counted by {other}"
            counted.setdefault((each.method, each.route), journey)


def _unreachable(found: Slo) -> Iterator[tuple[_Path, str]]:
    """Objectives so loose that even a total outage does not burn fast enough for every row of the table."""
    fastest = max(each.burn_rate for each in found.burn_rates)
    for journey, objective in found.objectives.items():
        for aspect, goal in objective.goals():
            if goal.budget * fastest >= 1:
                message = f"too loose for a burn rate of {fastest:g}, which a total outage would not reach"
                yield ("objectives", journey, aspect, "target"), message


def _missing_windows(found: Slo) -> Iterator[tuple[_Path, str]]:
    used = _windows(found)
    for name, profile in found.profiles.items():
        if missing := sorted(used - set(profile.windows)):
            yield ("profiles", name, "windows"), f"no length for {', '.join(missing)}"


def _windows(found: Slo) -> set[Window]:
    rows = {window for each in found.burn_rates for window in (each.long, each.short)}
    asked: list[Any] = [getattr(each, name, None) for each in found.symptoms.values() for name in ("over", "lasting")]
    return rows | {each for each in asked if each is not None}


def summary_template(text: str) -> str:
    """A summary as Prometheus takes it: `{service}` → `{{ $labels.service }}`."""
    return re.sub(r"\{(\w+)\}", r"{{ $labels.\1 }}", text)
