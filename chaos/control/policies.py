"""Policies over the services' control listeners, in all replicas alike."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from chaos.control.errors import AwayError, ControlError, UnknownTargetError
from chaos.control.http import ControlApi, Document
from chaos.control.policy import EdgePolicies, FoundPolicies
from chaos.control.target import Instance, Target


class HttpPolicyControl:
    """A PolicyControl."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def show(self) -> FoundPolicies:
        """What is in force now; who is away is named, not an error: it may be meant to be."""
        edges: list[EdgePolicies] = []
        silent: list[str] = []
        for host in self._target.can_be_told:
            try:
                edges += self._read(host, self._api(host).ask("GET", "/policies"))
            except AwayError:
                silent.append(host.name)
        return FoundPolicies(edges, silent)

    def use(self, caller: str, callee: str, preset: str) -> list[EdgePolicies]:
        """Puts a preset in force on the edge, in all replicas of the caller. As `turn`."""
        return self._put(caller, callee, {"preset": preset})

    def turn(self, caller: str, callee: str, switches: Mapping[str, bool]) -> list[EdgePolicies]:
        """Turns single policies of the edge on or off, in all replicas of the caller.

        Raises: UnknownTargetError where there is no such caller, RefusedError where it has no such edge or policy, AwayError
        where a replica does not answer. Those told before stay switched: to say it again says it to all.
        """
        return self._put(caller, callee, switches)

    def _put(self, caller: str, callee: str, wanted: Mapping[str, Any]) -> list[EdgePolicies]:
        done: list[EdgePolicies] = []
        first: ControlError | None = None
        for host in self._callers(caller):
            try:
                done += self._read(host, self._api(host).ask("PUT", f"/policies/{quote(callee, safe='')}", wanted))
            except ControlError as exc:
                first = first or exc
        if first:
            raise first
        return done

    def _callers(self, caller: str) -> list[Instance]:
        hosts = [each for each in self._target.can_be_told if caller in {each.name, each.service}]
        if not hosts:
            raise UnknownTargetError(caller, list(dict.fromkeys(each.service for each in self._target.can_be_told)))
        return hosts

    def _api(self, host: Instance) -> ControlApi:
        return ControlApi(host.name, host.control_address, self._target.token)

    @staticmethod
    def _read(host: Instance, document: Document) -> Iterator[EdgePolicies]:
        try:
            for edge, each in document.items():
                yield EdgePolicies(host.name, edge, each["kind"], each["preset"], each["policies"])
        except (KeyError, TypeError) as exc:
            raise AwayError(host.name, host.control_address, f"not policies: {exc}") from exc
