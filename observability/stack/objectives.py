"""The objectives: what `slo.yaml` says, validated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from observability import semconv

FILE: Final = Path(__file__).with_name("slo.yaml")


class ObjectivesError(ValueError):
    """The file of objectives is not as it should be; the text names the file and every wrong field, a line each."""


def _bucket(seconds: float) -> float:
    bounds = semconv.HTTP_SERVER_REQUEST_DURATION.buckets or ()
    if seconds not in bounds:
        raise ValueError(f"{seconds} is no bucket's bound; bounds: {', '.join(map(str, bounds))}")
    return seconds


Target = Annotated[float, Field(gt=0, lt=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requests(_Strict):
    """A route that is counted."""

    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH"]
    route: Annotated[str, Field(pattern="^/")]


class Availability(_Strict):
    """`target`: share of good requests."""

    target: Target

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return 1 - self.target


class Latency(_Strict):
    """`target`: share of requests that are answered within `threshold_s` seconds."""

    target: Target
    threshold_s: Annotated[float, AfterValidator(_bucket)]

    @property
    def budget(self) -> float:
        """The share that may be slower."""
        return 1 - self.target


class Objective(_Strict):
    """What the customers of one journey may expect."""

    description: Annotated[str, Field(min_length=1)]
    requests: Annotated[tuple[Requests, ...], Field(min_length=1)]
    availability: Availability
    latency: Latency


class _Document(_Strict):
    objectives: Annotated[dict[str, Objective], Field(min_length=1)]


Objectives = Mapping[str, Objective]
"""By the name of the journey."""


def load(file: Path = FILE) -> Objectives:
    """Raises ObjectivesError."""
    try:
        return _Document.model_validate(yaml.safe_load(file.read_text("utf-8"))).objectives
    except OSError as exc:
        raise ObjectivesError(f"{file}: {exc.strerror}") from exc
    except yaml.YAMLError as exc:
        raise ObjectivesError(f"{file}: not YAML: {exc}") from exc
    except ValidationError as exc:
        rows = (f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
        raise ObjectivesError(f"{file}:\n" + "\n".join(rows)) from exc
