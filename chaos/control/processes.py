"""Whole processes over the supervisor's control API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaos.control.errors import AwayError
from chaos.control.http import ControlApi, Document
from chaos.control.process_state import ProcessState
from chaos.control.target import Target

_PAUSED: Final = "paused"
_DOWN: Final = frozenset({"waiting", "failed"})


class HttpProcessControl:
    """A ProcessControl."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._api = ControlApi("the supervisor", target.supervisor_address, target.token)

    def kill(self, name: str, ttl_s: float) -> list[ProcessState]:
        return self._act(name, "kill", {"ttl_s": ttl_s})

    def pause(self, name: str, ttl_s: float) -> list[ProcessState]:
        return self._act(name, "pause", {"ttl_s": ttl_s})

    def resume(self, name: str) -> list[ProcessState]:
        return self._act(name, "resume")

    def restart(self, name: str) -> list[ProcessState]:
        return self._act(name, "restart")

    def states(self) -> list[ProcessState]:
        return [self._state(each) for each in self._api.ask("GET", "/processes")["processes"]]

    def heal(self) -> list[ProcessState]:
        return [*self._mend("resume", {_PAUSED}), *self._mend("restart", _DOWN)]

    def _mend(self, verb: str, ill: frozenset[str] | set[str]) -> list[ProcessState]:
        found = [each.instance for each in self.states() if each.state in ill]
        return [self._do(instance, verb) for instance in found]

    def _act(self, name: str, verb: str, body: Mapping[str, Any] | None = None) -> list[ProcessState]:
        instances: Sequence[str] = [each.name for each in self._target.processes(name)]
        return [self._do(instance, verb, body) for instance in instances]

    def _do(self, instance: str, verb: str, body: Mapping[str, Any] | None = None) -> ProcessState:
        return self._state(self._api.ask("POST", f"/processes/{instance}/{verb}", body))

    def _state(self, document: Document) -> ProcessState:
        try:
            return ProcessState(document["instance"], document["state"], document["pid"], document.get("detail", ""))
        except (KeyError, TypeError) as exc:
            raise AwayError(self._api.where, self._target.supervisor_address, f"not a process: {exc}") from exc
