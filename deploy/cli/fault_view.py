"""How faults look in a terminal of 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from chaos.control import Found, PlacedFault, ProcessState
from deploy.cli.screen import console, visible

_WELL: Final = "ready"


def show_all(found: Found, processes: Sequence[ProcessState]) -> None:
    """A row for each fault, and a line for each process that is not well or did not say."""
    screen = console()
    if found.faults:
        screen.print(_table(found.faults))
    else:
        screen.print("No fault is in force.")
    for each in processes:
        if each.state != _WELL:
            screen.print(Text.assemble(each.instance, " ", (each.state, "yellow"), f": {visible(each.detail)}"))
    for instance in found.silent:
        screen.print(f"{instance} does not say which faults it has", style="yellow")


def told(fault: PlacedFault) -> str:
    """`f-1a2b3c4d: latency 500 ms on payments Authorize, 20% of requests`."""
    return f"{fault.fault_id}: {_what(fault)} on {_where(fault)}, {_whom(fault)}"


def _table(faults: Sequence[PlacedFault]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("fault", no_wrap=True)
    for name in ("where", "what", "whom"):
        table.add_column(name, overflow="fold")
    table.add_column("left", justify="right", no_wrap=True)
    table.add_column("touched", justify="right", no_wrap=True)
    for fault_id in dict.fromkeys(each.fault_id for each in faults):
        table.add_row(*_row([each for each in faults if each.fault_id == fault_id]))
    return table


def _row(replicas: Sequence[PlacedFault]) -> list[str]:
    """One fault in all replicas that have it: the time of the last, the touches of all."""
    first = replicas[0]
    left = max(each.remaining_s for each in replicas)
    touched = sum(each.touched for each in replicas)
    return [first.fault_id, _where(first), _what(first), _whom(first), f"{left:.0f} s", str(touched)]


def _where(fault: PlacedFault) -> str:
    return " ".join(filter(None, (fault.service, fault.operation)))


def _what(fault: PlacedFault) -> str:
    return " ".join((fault.kind, *_parameters(fault.parameters)))


def _parameters(parameters: Mapping[str, Any]) -> list[str]:
    """`["500 ms"]`, `["uniform", "low 100 ms", "high 300 ms"]`."""
    distribution = parameters.get("distribution", "fixed")
    values = [_value(name, value) for name, value in parameters.items() if name != "distribution"]
    return values if distribution == "fixed" else [distribution, *values]


def _value(name: str, value: Any) -> str:
    shown = f"{value:g}" if isinstance(value, int | float) else str(value)
    if name == "ms":
        return f"{shown} ms"
    if name.endswith("_ms"):
        return f"{name.removesuffix('_ms')} {shown} ms"
    return f"{shown} MiB" if name == "mib" else f"{'' if name in {'status', 'code'} else name + ' '}{shown}"


def _whom(fault: PlacedFault) -> str:
    share = "" if fault.probability >= 1 else f"{fault.probability * 100:g}% of requests"
    carrying = visible(f"with {fault.baggage[0]}={fault.baggage[1]}") if fault.baggage else ""
    return " ".join(filter(None, (share, carrying))) or "everyone"
