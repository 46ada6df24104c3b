"""Who is calling, as a gRPC service sees it."""

from typing import Any

import grpc

from services.chassis.errors import ProblemError
from services.chassis.principal import Principal, from_metadata


def principal_of(context: grpc.aio.ServicerContext[Any, Any]) -> Principal:
    """For whom the call is made. Raises ProblemError unauthenticated where its metadata does not say."""
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    principal = from_metadata(metadata)
    if principal is None:
        raise ProblemError("unauthenticated", "the call does not say for whom it is made")
    return principal
