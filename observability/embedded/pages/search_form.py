"""The search form as it was sent, and what it asks of a store. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from observability.embedded import jaeger_params as params
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.ports import TraceQuery

LIMITS: Final = (20, 100, 500)
ANY_FAULT: Final = "any"

_DEFAULT_LIMIT: Final = 100
_LONGEST: Final = 1_000
"""Characters of one field."""


@dataclass(frozen=True, slots=True)
class SearchForm:
    """Each field as its text. The names over HTTP are those of Jaeger's page, so that its links work here."""

    service: str = ""
    operation: str = ""
    tags: str = ""
    min_duration: str = ""
    max_duration: str = ""
    fault: str = ""
    errors: bool = False
    limit: int = _DEFAULT_LIMIT

    @classmethod
    def of(cls, given: QueryParams) -> "SearchForm":
        """Never fails: what is wrong with a field is said by `query`."""
        limit = given.get("limit", "")
        return cls(
            service=_field(given, "service"),
            operation=_field(given, "operation"),
            tags=_field(given, "tags"),
            min_duration=_field(given, "minDuration"),
            max_duration=_field(given, "maxDuration"),
            fault=_field(given, "fault"),
            errors=bool(given.get("errors")),
            limit=int(limit)
            if limit.isdecimal() and len(limit) < 5 and 1 <= int(limit) <= LIMITS[-1]
            else _DEFAULT_LIMIT,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for anything but the newest."""
        return any(
            (self.service, self.operation, self.tags, self.min_duration, self.max_duration, self.fault, self.errors)
        )

    def query(self) -> TraceQuery:
        """Raises BadParameterError naming the field that cannot be read."""
        shortest = _duration_ns("At least", self.min_duration)
        longest = _duration_ns("At most", self.max_duration)
        if shortest is not None and longest is not None and longest < shortest:
            raise BadParameterError(f"No duration is at least {self.min_duration} and at most {self.max_duration}.")
        return TraceQuery(
            service=self.service or None,
            operation=self.operation or None,
            failed_only=self.errors,
            tags=_tags(self.tags),
            min_duration_ns=shortest,
            max_duration_ns=longest,
            fault=None if not self.fault else "" if self.fault.lower() == ANY_FAULT else self.fault,
            limit=self.limit,
        )


def _field(given: QueryParams, name: str) -> str:
    return given.get(name, "").strip()[:_LONGEST]


def _duration_ns(label: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return params.duration_ns(text.replace(" ", ""))
    except BadParameterError as exc:
        raise BadParameterError(f"{label}: “{text}” is no duration; write 200ms, 1.5s or 2m.") from exc


def _tags(text: str) -> Mapping[str, str]:
    """`key=value other="with blanks"`, or an object in JSON as Jaeger's page writes it."""
    if text.startswith("{"):
        try:
            return params.tags_json(text)
        except BadParameterError as exc:
            raise BadParameterError(f"Tags: {exc}") from exc
    try:
        pairs = [each.partition("=") for each in shlex.split(text)]
    except ValueError as exc:
        raise BadParameterError("Tags: a quotation mark is not closed.") from exc
    for key, equals, value in pairs:
        if not key or not equals:
            raise BadParameterError(f"Tags: “{key or value}” is not key=value.")
    return {key: value for key, _, value in pairs}
