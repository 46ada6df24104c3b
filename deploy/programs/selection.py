"""Which programs take part in a run, and the topology with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deploy.errors import MissingProgramError, UsageError
from deploy.programs.catalogue import HTTP_PORT, JAEGER, OTLP_GRPC_PORT, PROGRAMS, PROMETHEUS, Known
from deploy.programs.finding import cache_folder, find
from deploy.topology import ALERTS, BACKEND, Process, Program, Targets, Topology

_SPANS_ON: Final = Targets("FORWARD_OTLP_ENDPOINT", JAEGER, OTLP_GRPC_PORT, "http://")
_RULES_BY: Final = Targets("PROMETHEUS_URL", PROMETHEUS, HTTP_PORT, "http://")

Finder = Callable[[Known], Path | None]
IsFree = Callable[[int], bool]


@dataclass(frozen=True)
class Selection:
    """What is asked for: the `required` ones must start; with `installed` all others join that are there."""

    required: tuple[str, ...] = ()
    installed: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a name that is none."""
        for name in self.required:
            if name not in PROGRAMS:
                raise UsageError(f"there is no program {name!r}; programs: {', '.join(PROGRAMS)}")


NONE: Final = Selection()


def with_programs(topology: Topology, selection: Selection, is_free: IsFree, finder: Finder = find) -> Topology:
    """`topology` with the selected programs. `is_free` tells of a fixed port whether it can be had.

    Raises MissingProgramError, naming every required program that is not there.
    """
    if selection == NONE:
        return topology
    found = {each.name: finder(each) for each in PROGRAMS.values()}
    if missing := [name for name in PROGRAMS if name in selection.required and found[name] is None]:
        raise MissingProgramError(missing, cache_folder())
    looked = {each.name: _looked(each, found[each.name], selection, topology, is_free) for each in PROGRAMS.values()}
    return _joined(topology, looked, selection.required)


def _looked(known: Known, file: Path | None, selection: Selection, topology: Topology, is_free: IsFree) -> Program:
    if why := _why_not(known, file, selection, topology, is_free):
        return Program(known.name, "", f"{why}; {known.instead}")
    return Program(known.name, str(file))


def _why_not(known: Known, file: Path | None, selection: Selection, topology: Topology, is_free: IsFree) -> str:
    """Empty when it takes part."""
    if file is None:
        return "not found"
    if known.name == JAEGER and BACKEND not in {each.name for each in topology.processes}:
        return f"{file} is left alone, as nobody here would send it spans"
    if known.name in selection.required:
        return ""
    if not selection.installed:
        return f"{file} is not asked for"
    taken = [str(each.port) for each in known.process.listeners if not is_free(each.port)]
    return f"{file} is left alone, as port {taken[0]} is taken" if taken else ""


def _joined(topology: Topology, looked: Mapping[str, Program], required: Sequence[str]) -> Topology:
    taking_part = [PROGRAMS[name] for name, each in looked.items() if each.file]
    processes = {
        each.name: replace(
            each.process, settings={"PROGRAM_FILE": looked[each.name].file}, optional=each.name not in required
        )
        for each in taking_part
    }
    return replace(
        topology,
        processes=tuple(_in_order(topology, processes)),
        pages=(*topology.pages, *(each.page for each in taking_part)),
        programs=tuple(looked.values()),
    )


def _in_order(topology: Topology, programs: Mapping[str, Process]) -> Iterator[Process]:
    """Jaeger is called by the backend, so it comes before it; the others look at everybody, so they come last."""
    jaeger = programs.get(JAEGER)
    told = {BACKEND: _SPANS_ON} if jaeger else {}
    if PROMETHEUS in programs:
        told[ALERTS] = _RULES_BY
    if jaeger:
        yield jaeger
    for each in topology.processes:
        yield replace(each, targets=(*each.targets, told[each.name])) if each.name in told else each
    yield from (each for each in programs.values() if each is not jaeger)
