"""What an experiment's activities name: checked before a run, as Chaos Toolkit knows their functions alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from chaos.control import INJECTED_KINDS, ControlError, Fault, max_ttl_s
from chaos.measure.phases import AFTER, BEFORE, FAULT, WHOLE
from chaos.measure.requests import JOURNEYS
from chaos.measure.site import Site
from chaos.runs.errors import InvalidError
from chaos.toolkit import faults
from chaos.toolkit.policies import PRESETS
from observability.stack import objectives

_MODULES: Final = ("chaos.toolkit.actions", "chaos.toolkit.alert_probes", "chaos.toolkit.probes")
_INJECT: Final = "inject"
_FAULTS: Final = (_INJECT, "kill", "pause")
_SHARES: Final = ("probability", "at_least", "share")
_LEAST_TTL_S: Final = {"kill": 0.0}  # killed, and started again at once
_SOME_TTL_S: Final = 0.001

_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "kind": INJECTED_KINDS,
    "preset": PRESETS,
    "journey": (*JOURNEYS, "all"),
    "during": (BEFORE, FAULT, AFTER, WHOLE),
    "outcome": ("good", "bad", "all"),
    "severity": ("page", "ticket"),
}
"""Argument → what it may be, in whatever function of ours."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Activity:
    """An action or a probe of ours, and what it is given, with the configuration's values in their places."""

    name: str
    function: str
    arguments: Document

    def refusal(self, argument: str, why: str) -> InvalidError:
        """Names the culprit."""
        return InvalidError(f"{self.name}: {self.function}: {argument}: {why}")


def activities(document: Document, given: Document | None = None) -> list[Activity]:
    """Those of ours in an experiment, where `given` goes before what its configuration says. Raises InvalidError."""
    from chaoslib import substitute  # noqa: PLC0415 -- takes as long to import as all else here
    from chaoslib.configuration import load_configuration  # noqa: PLC0415

    with _translated():
        configuration = load_configuration(dict(document.get("configuration") or {}), dict(given or {}))
        return [
            Activity(
                str(each.get("name")),
                each["provider"]["func"],
                substitute(dict(each["provider"].get("arguments") or {}), configuration, {}),
            )
            for each in _of_ours(document)
        ]


def check(found: Sequence[Activity]) -> None:
    """What no system has, or allows. Raises InvalidError naming the culprit and the valid choices."""
    for each in found:
        for argument, value in each.arguments.items():
            _check_choice(each, argument, value)
            if argument in _SHARES:
                _check_share(each, argument, value)
        if each.function in _FAULTS:
            _check_ttl(each)
        if each.function == _INJECT:
            _check_parameters(each)


def check_site(found: Sequence[Activity], site: Site) -> None:
    """What this system does not have: services, edges. Raises InvalidError naming the culprit and the valid choices."""
    for each in found:
        if "edge" in each.arguments:
            _check_edge(site, each.arguments["edge"], partial(each.refusal, "edge"))
        if each.function in _FAULTS:
            _check_service(each, site)


def check_faults(found: Sequence[Activity], check: Callable[[Fault], None]) -> None:
    """What whoever injects them would refuse; `check` asks, raising ControlError. Raises InvalidError with the reason."""
    for each in found:
        if each.function == _INJECT:
            try:
                check(faults.wanted(**each.arguments))
            except ControlError as exc:
                raise InvalidError(f"{each.name}: {each.function}: {exc}") from exc


def check_own_edge(site: Site, edge: str) -> None:
    """The edge that the experiment as a whole looks at. Raises InvalidError."""
    _check_edge(site, edge, lambda why: InvalidError(f"extensions.faultline.edge: {why}"))


def _check_edge(site: Site, edge: str, refusal: Callable[[str], InvalidError]) -> None:
    """Raises what `refusal` makes of the reason."""
    if edge not in site.edges:
        raise refusal(f"there is no edge {edge!r}; edges: {', '.join(site.edges)}")


def _of_ours(document: Document) -> Iterator[Document]:
    probes = (document.get("steady-state-hypothesis") or {}).get("probes")
    for each in [*(probes or ()), *(document.get("method") or ()), *(document.get("rollbacks") or ())]:
        if each.get("provider", {}).get("module") in _MODULES:
            yield each


def _check_choice(activity: Activity, argument: str, value: object) -> None:
    choices = _choices(activity.function, argument)
    if choices and value not in choices:
        raise activity.refusal(argument, f"there is no {value!r}; there are {', '.join(choices)}")


def _choices(function: str, argument: str) -> Sequence[str]:
    """What it may be; none where it may be anything."""
    if argument == "alert":
        return _alert_names()
    return JOURNEYS if (function, argument) == ("recovers", "journey") else _CHOICES.get(argument, ())


@cache
def _alert_names() -> Sequence[str]:
    return objectives.load_all().alert_names


def _check_share(activity: Activity, argument: str, value: object) -> None:
    share = _number(activity, argument, value)
    least = "from" if argument == "at_least" else "above"
    if not 0 <= share <= 1 or (share == 0 and least == "above"):
        raise activity.refusal(argument, f"{value} is not a share, {least} 0 and up to 1")


def _check_ttl(activity: Activity) -> None:
    value = activity.arguments.get("ttl_s")
    least = _LEAST_TTL_S.get(activity.function, _SOME_TTL_S)
    most = max_ttl_s(str(activity.arguments.get("kind", activity.function)))
    if not least <= _number(activity, "ttl_s", value) <= most:
        raise activity.refusal("ttl_s", f"{value} is not within {least:g}..{most:g} seconds")


def _check_parameters(activity: Activity) -> None:
    parameters = activity.arguments.get("parameters")
    if not isinstance(parameters, dict | None):
        raise activity.refusal("parameters", f"{parameters!r} is no mapping, such as {{ms: 500}}")


def _check_service(activity: Activity, site: Site) -> None:
    """A fault inside of requests can be in one replica, or in a database; killed and paused are services as a whole."""
    service = str(activity.arguments.get("service"))
    if activity.function == _INJECT:
        try:
            site.target.hosts(service)
        except ControlError as exc:
            raise activity.refusal("service", str(exc)) from exc
    elif service not in site.services:
        raise activity.refusal("service", f"there is no {service!r}; there are {', '.join(site.services)}")


def _number(activity: Activity, argument: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError as exc:
        raise activity.refusal(argument, f"{value!r} is not a number") from exc


@contextmanager
def _translated() -> Iterator[None]:
    from chaoslib.exceptions import ChaosException  # noqa: PLC0415

    try:
        yield
    except (ChaosException, ValueError, TypeError, KeyError) as exc:
        raise InvalidError(f"configuration: {exc}") from exc
