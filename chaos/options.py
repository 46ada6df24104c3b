"""Numbers on a command line: click takes "nan" and "inf" for numbers, and the first for one within every range."""

from math import isfinite
from typing import Any

import click
from click.types import FloatParamType


class _Finite(click.ParamType[float]):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Number(_Finite, FloatParamType):
    """Any finite number."""


class NumberRange(_Finite, click.FloatRange):
    """A finite number within bounds."""
