"""The faults that an experiment is going to ask for: held against whoever will inject them, before it begins."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chaos.control import Fault, FaultControl
from chaos.measure.errors import MeasureError, driving
from chaos.toolkit import faults

_INJECT: Final = ("chaos.toolkit.actions", "inject")

Document = Mapping[str, Any]


class NotAFaultError(MeasureError):
    """An activity's arguments are none; names it and says why."""


def check(experiment: Document, configuration: Document, control: FaultControl) -> None:
    """Changes nothing. Raises NotAFaultError, DrivingError with the reason why a fault would be refused."""
    for fault in _faults(experiment, configuration):
        with driving():
            control.check(fault)


def _faults(experiment: Document, configuration: Document) -> Iterator[Fault]:
    from chaoslib import substitute  # noqa: PLC0415 -- takes as long to import as all else here

    for each in experiment.get("method") or ():
        provider = each.get("provider") or {}
        if (provider.get("module"), provider.get("func")) == _INJECT:
            arguments = substitute(dict(provider.get("arguments") or {}), configuration, {})
            try:
                yield faults.wanted(**arguments)
            except (TypeError, ValueError) as exc:
                raise NotAFaultError(f"{each.get('name')}: {exc}") from exc
