"""What both servers do with an error that reached their last boundary: one rule for the log."""

import logging

from opentelemetry import trace

from services.chassis.errors import Catalogue, FaultlineError, ProblemError

UNEXPECTED = "unexpected error while serving"
FAILED = "answered with a failure"


def log_failure(log: logging.Logger, error: Exception, problem: ProblemError, catalogue: Catalogue) -> None:
    """Logs `error`, which the caller is told as `problem`, if it is ours to mend; a refusal is no news."""
    if not isinstance(error, FaultlineError):
        log.error(UNEXPECTED, exc_info=error)
        trace.get_current_span().record_exception(error)
    elif catalogue[problem.slug].http_status >= 500:
        log.warning(FAILED, extra={"slug": problem.slug, "error": _text(error)})


def _text(error: FaultlineError) -> str:
    # A problem says what the public may know; what it was made of says more.
    cause = str(error.__cause__ or "") if isinstance(error, ProblemError) else ""
    return cause or str(error)
