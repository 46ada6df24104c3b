"""Saying over services' control listeners that an experiment runs."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from chaos.control.errors import ControlError
from chaos.control.http import ControlApi
from chaos.control.target import Target

_TIMEOUT_S: Final = 2.0


class HttpExperimentControl:
    """An ExperimentControl. `service` is who is told, in all its replicas; without one, everybody."""

    def __init__(self, target: Target, service: str = "") -> None:
        hosts = (each for each in target.can_be_told if service in {"", each.service})
        self._apis = [ControlApi(host.name, host.control_address, target.token, _TIMEOUT_S) for host in hosts]

    def runs(self, name: str, arm: str, ttl_s: float) -> None:
        """Raises AwayError, RefusedError, when all others have been told."""
        self._each(lambda api: api.ask("PUT", self._path(name), {"arm": arm, "ttl_s": ttl_s}))

    def over(self, name: str) -> None:
        """As `runs`."""
        self._each(lambda api: api.ask("DELETE", self._path(name)))

    def _each(self, tell: Callable[[ControlApi], object]) -> None:
        first: ControlError | None = None
        for api in self._apis:
            try:
                tell(api)
            except ControlError as exc:
                first = first or exc
        if first:
            raise first

    @staticmethod
    def _path(name: str) -> str:
        return f"/experiments/{quote(name, safe='')}"
