"""Spans of time as Prometheus writes them: `30s`, `5m`, `72m`, `3d`."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM: Final = re.compile(r"([1-9][0-9]*)([smhd])")


def seconds(text: str) -> int:
    """Raises ValueError for what is no whole number with one of the units s, m, h, d."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of time such as 30s, 5m, 6h or 3d")
    return int(found[1]) * _UNITS[found[2]]


def text_of(span_s: float) -> str:
    """The shortest text for whole seconds: 7200 → `2h`, 90 → `90s`."""
    unit = next(each for each in "dhms" if span_s % _UNITS[each] == 0)
    return f"{span_s // _UNITS[unit]:.0f}{unit}"


def _checked(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
