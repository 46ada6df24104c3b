"""From the command line to a fault: the options of `faultline fault add`."""

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final, TypeVar

import click

from chaos.control import SUPERVISED_KINDS, Fault
from chaos.options import Number
from deploy.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

BAGGAGE_PREFIX: Final = "faultline."

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|min)?")


def duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """`60s`, `500ms`, `2m`, or a number of seconds, above zero; gives seconds."""
    if value is None:
        return None
    found = _DURATION.fullmatch(value)
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not 0 < seconds < inf:
        raise click.BadParameter(f"{value!r} is no time such as 60s, 500ms or 2m")
    return seconds


def baggage(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, str] | None:
    """`faultline.NAME=VALUE`; gives the pair."""
    if value is None:
        return None
    key, equals, content = value.partition("=")
    if not equals or not key.startswith(BAGGAGE_PREFIX):
        raise click.BadParameter(f"{value!r} is not {BAGGAGE_PREFIX}NAME=VALUE: the gateway lets no other through")
    return key, content


PARAMETERS: Final[Mapping[str, tuple[str, Any, str]]] = {
    "ms": ("ms", Number(), "Milliseconds: of a latency, or for a slow body as a whole."),
    "distribution": (
        "distribution",
        click.Choice(["fixed", "uniform", "normal", "pareto"]),
        "Of a latency.  [default: fixed]",
    ),
    "low": ("low_ms", Number(), "Least milliseconds (uniform)."),
    "high": ("high_ms", Number(), "Most milliseconds (uniform)."),
    "mean": ("mean_ms", Number(), "Mean, in milliseconds (normal)."),
    "deviation": ("deviation_ms", Number(), "Standard deviation, in milliseconds (normal)."),
    "min": ("min_ms", Number(), "Least milliseconds (pareto)."),
    "shape": ("shape", Number(), "The smaller, the heavier the tail (pareto)."),
    "status": ("status", int, "Of an error over HTTP.  [default: 503]"),
    "code": ("code", str, "Of an error over gRPC.  [default: UNAVAILABLE]"),
    "share": ("share", Number(), "Of a core to burn, up to 1.  [default: 1]"),
    "mib": ("mib", int, "Memory to hold, in MiB."),
}
"""Option → the parameter's name, its type, its help."""


def parameter_options(command: F) -> F:
    """Adds an option for each parameter of any kind; the target says which ones its kind takes."""
    for option, (_, kind, text) in reversed(list(PARAMETERS.items())):
        metavar = None if isinstance(kind, click.Choice) else {str: "CODE"}.get(kind, "N")
        command = click.option(f"--{option}", type=kind, metavar=metavar, help=text)(command)
    return command


def fault(options: Mapping[str, Any]) -> Fault:
    """The fault that the options ask for. Raises UsageError where they contradict each other."""
    given = {name: options[option] for option, (name, _, _) in PARAMETERS.items() if options[option] is not None}
    kind, ttl_s = options["kind"], options["ttl"]
    if ttl_s is None and kind != "restart":
        raise UsageError("--ttl must be given, such as --ttl 60s: no fault is for ever")
    if kind in SUPERVISED_KINDS:
        _check_alone(kind, given, options)
    return Fault(
        service=options["service"],
        kind=kind,
        ttl_s=ttl_s or 0.0,
        parameters=given,
        operation=options["route"] or "",
        probability=(options["percent"] or 100.0) / 100,
        baggage=options["baggage"],
        experiment=options["experiment"],
    )


def _check_alone(kind: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if parameters or any(options[each] is not None for each in ("route", "percent", "baggage")):
        raise UsageError(f"{kind} is done to the whole process: it takes --ttl alone")
