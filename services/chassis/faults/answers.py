"""Which statuses and codes an injected error may have: those that a server answers by itself, whatever it serves."""

from services.chassis.errors import Catalogue
from services.chassis.faults.model import Fault
from services.chassis.faults.parameters import GrpcError, HttpError
from services.chassis.faults.values import one_of

_SLUGS = (
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "too-many-requests",
    "internal",
    "service-unavailable",
    "deadline-exceeded",
)


class Answers:
    """Status and code → slug, as the catalogue has them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.statuses = {catalogue[slug].http_status: slug for slug in _SLUGS if slug in catalogue}
        self.codes = {catalogue[slug].grpc_status: slug for slug in _SLUGS if slug in catalogue}

    def check(self, fault: Fault) -> None:
        """Raises FaultRefusedError, naming the choices, for an error whose answer there is not."""
        match fault.parameters:
            case HttpError(status):
                one_of("parameters.status", status, self.statuses)
            case GrpcError(code):
                one_of("parameters.code", code, self.codes)
