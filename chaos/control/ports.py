"""What experiments and commands need of a system that they hurt; its adapters differ by how it is run."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from chaos.control.fault import Fault, Found, PlacedFault
from chaos.control.policy import EdgePolicies, FoundPolicies
from chaos.control.process_state import ProcessState


class FaultControl(Protocol):
    """Faults inside services. Every method raises ControlError."""

    def add(self, fault: Fault) -> Sequence[PlacedFault]:
        """Injects it into all replicas, under one id. If one replica refuses or is away, no replica has it."""

    def check(self, fault: Fault) -> None:
        """Asks all replicas whether they would take it, and changes nothing. RefusedError says why one would not."""

    def in_force(self) -> Found:
        """Every fault in every replica, and who did not say."""

    def remove(self, fault_id: str, service: str = "") -> int:
        """Takes it back from every replica of `service`, of all services where none is named; how many had it.

        An error comes at the end, when all others have been asked.
        """

    def clear(self) -> int:
        """Takes all back; how many there were, each replica's counted. AwayError, at the end, if somebody was silent."""


class ExperimentControl(Protocol):
    """Saying that an experiment runs. Every method raises ControlError."""

    def runs(self, name: str, arm: str, ttl_s: float) -> None:
        """It does, and is believed to for so many seconds: to be said again and again."""

    def over(self, name: str) -> None:
        """It does no longer."""


class ProcessControl(Protocol):
    """Whole processes. `name` is a service's, for all its replicas, or a replica's. Every method raises ControlError."""

    def kill(self, name: str, ttl_s: float) -> Sequence[ProcessState]:
        """Ended by SIGKILL, and held down for `ttl_s`; the answer's pids are the killed ones."""

    def pause(self, name: str, ttl_s: float) -> Sequence[ProcessState]:
        """Stopped, and resumed after `ttl_s`."""

    def resume(self, name: str) -> Sequence[ProcessState]: ...

    def restart(self, name: str) -> Sequence[ProcessState]:
        """Ended in order and started again, also if it is held down."""

    def states(self) -> Sequence[ProcessState]:
        """Every process as it is now."""

    def heal(self) -> Sequence[ProcessState]:
        """Resumes who is paused and starts who is held down; those."""


class PolicyControl(Protocol):
    """What stands between callers and their peers. `caller` is a service's name or a replica's. Raises ControlError."""

    def show(self) -> FoundPolicies:
        """Every edge of every replica, and who did not say."""

    def use(self, caller: str, callee: str, preset: str) -> Sequence[EdgePolicies]:
        """Puts a preset in force on the edge in all the caller's replicas; the edge as it is then in each."""

    def turn(self, caller: str, callee: str, switches: Mapping[str, bool]) -> Sequence[EdgePolicies]:
        """Turns single policies on or off, as `use`."""
