"""Faults in calls served over gRPC: a step of the server's interceptor, within its span, metrics and deadline."""

from collections.abc import Mapping

from services.chassis.errors import ProblemError
from services.chassis.faults.injector import Injector
from services.chassis.faults.parameters import GrpcError

DETAIL = "An injected fault."


class RpcFaults:
    """What the interceptor asks before each call. `slugs`: which problem is answered for an injected code."""

    def __init__(self, injector: Injector, slugs: Mapping[str, str]) -> None:
        self._injector, self._slugs = injector, slugs

    def __bool__(self) -> bool:
        return bool(self._injector)

    async def __call__(self, method: str) -> None:
        """`method` is a full name, such as `faultline.payments.v1.Payments/Authorize`. Raises the injected ProblemError."""
        for each in await self._injector.delay(method.rpartition("/")[2]):
            if isinstance(each.fault.parameters, GrpcError):
                raise ProblemError(self._slugs[each.fault.parameters.code], DETAIL)
