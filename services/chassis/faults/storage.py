"""Faults in a service's own database: a slow or failing one, as its caller sees it."""

from services.chassis.faults.injector import Injector
from services.chassis.faults.kinds import Kind


class InjectedStorageError(ConnectionError):
    """What the driver would have raised."""


class StorageFaults:
    """What the database asks before each unit of work."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def __bool__(self) -> bool:
        return bool(self._injector)

    async def __call__(self, operation: str) -> None:
        """Raises InjectedStorageError, which the database translates like any other of its driver's."""
        for each in await self._injector.delay(operation):
            if each.fault.kind is Kind.ERROR:
                raise InjectedStorageError("an injected fault")
