"""JSON Schema's keywords that limit a value: by how each moves, what is allowed becomes less or more."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import inf
from typing import Any, Final

Schema = Mapping[str, Any]


class Side(StrEnum):
    """Who writes what the schema describes: clients a request, the API an answer."""

    REQUEST = "request"
    ANSWER = "answer"


LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT: Final = ("pattern", "format", "multipleOf", "uniqueItems")
"""Limits whose two values cannot be compared: only having one or none can."""

BROKEN: Final[Mapping[Side, str]] = {
    Side.REQUEST: "clients that send what was allowed before",
    Side.ANSWER: "clients that rely on what was promised of it",
}


def limit_changes(old: Schema, new: Schema, side: Side) -> Iterator[tuple[str, str]]:
    """What happened and whom it breaks: a narrower limit those who write, a wider one those who read."""
    for keyword in (*LOWER, *UPPER, *EXACT):
        before, after = old.get(keyword), new.get(keyword)
        if before != after and side in _broken_sides(keyword, before, after):
            yield f"{keyword} {_told(before)} became {_told(after)}", BROKEN[side]


def _broken_sides(keyword: str, before: Any, after: Any) -> set[Side]:
    if keyword in EXACT:
        narrower, wider = after is not None, before is not None
    else:
        sign = 1 if keyword in LOWER else -1
        narrower = sign * _number(after, sign) > sign * _number(before, sign)
        wider = not narrower
    return {side for side, is_broken in ((Side.REQUEST, narrower), (Side.ANSWER, wider)) if is_broken}


def _number(value: Any, sign: int) -> float:
    return -sign * inf if value is None else float(value)


def _told(value: Any) -> str:
    return "none" if value is None else str(value)
