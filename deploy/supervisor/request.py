"""What somebody asks the supervisor to run, in a form that passes through a command line."""

import argparse
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy import ports
from deploy.errors import UsageError
from deploy.programs.selection import NONE, Selection, with_programs
from deploy.supervisor.state import StateFolder
from deploy.topology import Topology
from deploy.trickle import with_load

DEFAULT_TOPOLOGY: Final = "deploy.topology:FAULTLINE"
HOST: Final = "127.0.0.1"
"""Where everything listens."""


@dataclass(frozen=True)
class Request:
    """`topology` is `MODULE:NAME` of a `Topology`; `ready_deadline_s` in seconds, `load_rps` in requests per second.

    `databases` (service → SQLAlchemy URL) may hold passwords: they go through the environment, which others can't read.
    `programs`: those that are not ours; by default none takes part.
    """

    state: Path
    free_ports: bool = False
    topology: str = DEFAULT_TOPOLOGY
    replicas: Mapping[str, int] = field(default_factory=dict)
    ready_deadline_s: float = 60.0
    databases: Mapping[str, str] = field(default_factory=dict)
    load_rps: float | None = None
    programs: Selection = NONE

    def environment(self) -> dict[str, str]:
        """What to add to the environment of `python -m deploy.supervisor`, where its settings are read from."""
        return {"DATABASE_URLS": json.dumps(dict(self.databases))} if self.databases else {}

    def arguments(self) -> list[str]:
        """For `python -m deploy.supervisor`; `parse` is the way back."""
        return [
            f"--state={self.state}",
            f"--topology={self.topology}",
            f"--ready-deadline={self.ready_deadline_s}",
            *(f"--replicas={name}={number}" for name, number in self.replicas.items()),
            *([f"--load={self.load_rps}"] if self.load_rps is not None else []),
            *(f"--require={name}" for name in self.programs.required),
            *(["--installed"] if self.programs.installed else []),
            *(["--free-ports"] if self.free_ports else []),
        ]

    def find_topology(self) -> Topology:
        """What is to run. Raises UsageError, MissingProgramError."""
        found = with_programs(find_topology(self.topology), self.programs, self._is_free)
        return found if self.load_rps is None else with_load(found, self.load_rps)

    @property
    def folder(self) -> StateFolder:
        return StateFolder(self.state)

    def _is_free(self, port: int) -> bool:
        return self.free_ports or ports.is_free(HOST, port)


def parse(arguments: Sequence[str]) -> Request:
    """The request in these arguments; exits with the usage when they are none. Raises UsageError."""
    parser = argparse.ArgumentParser("python -m deploy.supervisor", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder")
    parser.add_argument("--topology", default=DEFAULT_TOPOLOGY, help="MODULE:NAME of what to run")
    parser.add_argument("--ready-deadline", type=float, default=60.0, help="seconds until everything is ready")
    parser.add_argument("--replicas", action="append", default=[], metavar="NAME=N", help="how many of a process")
    parser.add_argument("--free-ports", action="store_true", help="take free ports instead of the topology's")
    parser.add_argument("--load", type=float, metavar="RPS", help="send load, so many requests per second")
    parser.add_argument("--require", action="append", default=[], metavar="PROGRAM", help="start it, or fail")
    parser.add_argument("--installed", action="store_true", help="start every program that this machine has")
    found = parser.parse_args(arguments)
    return Request(
        found.state,
        found.free_ports,
        found.topology,
        parse_replicas(found.replicas),
        found.ready_deadline,
        load_rps=found.load,
        programs=Selection(tuple(found.require), found.installed),
    )


def parse_replicas(pairs: Sequence[str], names: Sequence[str] = ()) -> dict[str, int]:
    """`["inventory=2"]` → `{"inventory": 2}`. Raises UsageError naming the pair that is wrong, and `names` to choose."""
    return dict(_parse_pair(pair, names) for pair in pairs)


def find_topology(reference: str) -> Topology:
    """The topology at `MODULE:NAME`. Raises UsageError."""
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise UsageError(f"topology {reference!r}: {exc}") from exc
    if not isinstance(found, Topology):
        raise UsageError(f"topology {reference!r}: a {type(found).__name__}, not a deploy.topology.Topology")
    return found


def _parse_pair(pair: str, names: Sequence[str]) -> tuple[str, int]:
    name, _, number = pair.partition("=")
    if not number.isdecimal():
        choice = f"; processes: {', '.join(names)}" if names else ""
        raise UsageError(f"replicas: {pair!r} is not NAME=NUMBER{choice}")
    return name, int(number)
