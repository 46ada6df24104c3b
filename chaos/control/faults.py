"""Faults over the services' control listeners, in all replicas alike."""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote

from chaos.control.errors import AwayError, ControlError, RefusedError
from chaos.control.fault import Fault, Found, PlacedFault, placed
from chaos.control.http import ControlApi, Document
from chaos.control.target import Instance, Target

T = TypeVar("T")

_NO_SUCH_FAULT = 404


class HttpFaultControl:
    """A FaultControl."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def add(self, fault: Fault) -> list[PlacedFault]:
        """As the port says; the id is made here, so that it can be taken back where only the answer was lost."""
        fault_id = fault.fault_id or new_fault_id()
        asked: list[Instance] = []
        done: list[PlacedFault] = []
        try:
            for host in self._target.hosts(fault.service):
                asked.append(host)
                done.append(self._place(host, fault, fault_id))
        except RefusedError:
            self._take_back(asked[:-1], fault_id)  # who refused may have another one of that id
            raise
        except ControlError:
            self._take_back(asked, fault_id)
            raise
        return done

    def check(self, fault: Fault) -> None:
        for host in self._target.hosts(fault.service):
            self._api(host).ask("POST", "/faults/check", asked(host, fault, fault.fault_id))

    def in_force(self) -> Found:
        """As the port says; who is away is named, not an error: it may be meant to be."""
        found: list[PlacedFault] = []
        silent: list[str] = []
        for host in self._target.can_be_told:
            try:
                found += self._listed(host)
            except AwayError:
                silent.append(host.name)
        return Found(found, silent)

    def remove(self, fault_id: str, service: str = "") -> int:
        hosts = self._target.hosts(service) if service else self._target.can_be_told
        return sum(_each(hosts, lambda host: self._removed(host, fault_id)))

    def clear(self) -> int:
        hosts = self._target.can_be_told
        return sum(_each(hosts, lambda host: int(self._api(host).ask("DELETE", "/faults")["removed"])))

    def _place(self, host: Instance, fault: Fault, fault_id: str) -> PlacedFault:
        return self._read(host, self._api(host).ask("POST", "/faults", asked(host, fault, fault_id)))

    def _take_back(self, hosts: Sequence[Instance], fault_id: str) -> None:
        for host in hosts:
            with contextlib.suppress(ControlError):  # its TTL takes it; the error to hear of is the first one
                self._removed(host, fault_id)

    def _listed(self, host: Instance) -> Iterator[PlacedFault]:
        return (self._read(host, each) for each in self._api(host).ask("GET", "/faults")["faults"])

    def _removed(self, host: Instance, fault_id: str) -> int:
        try:
            self._api(host).ask("DELETE", f"/faults/{quote(fault_id, safe='')}")
        except RefusedError as exc:
            if exc.status == _NO_SUCH_FAULT:
                return 0
            raise
        return 1

    def _api(self, host: Instance) -> ControlApi:
        return ControlApi(host.name, host.control_address, self._target.token)

    @staticmethod
    def _read(host: Instance, document: Document) -> PlacedFault:
        try:
            return placed(host.name, document)
        except (KeyError, TypeError) as exc:
            raise AwayError(host.name, host.control_address, f"not a fault: {exc}") from exc


def asked(host: Instance, fault: Fault, fault_id: str) -> Document:
    """The body of `POST /faults` at this host. A replica asked for by its own name is hurt as the service that it is."""
    return fault.document(host.service if fault.service == host.name else fault.service, fault_id)


def new_fault_id() -> str:
    """Nobody else's."""
    return f"f-{secrets.token_hex(4)}"


def _each(hosts: Sequence[Instance], act: Callable[[Instance], T]) -> list[T]:
    """Asks each, also after one was away or refused; then raises the first error."""
    answers: list[T] = []
    first: ControlError | None = None
    for host in hosts:
        try:
            answers.append(act(host))
        except ControlError as exc:
            first = first or exc
    if first:
        raise first
    return answers
