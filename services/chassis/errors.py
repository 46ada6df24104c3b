"""The chassis's errors, one tree.

FaultlineError
├── SettingsError               the process is configured wrongly; names every wrong key
├── PortTakenError              a listener's port is in use; names port and setting
├── NotReadyError               a part of this process can't do its work
├── ProblemError                an answer from the error catalogue, ours or a peer's
└── CallError                   a call of ours got no answer that could be used
    ├── PeerUnavailableError    the peer refused, reset or closed the connection
    ├── AttemptTimeoutError     one attempt took longer than it was given
    ├── DeadlineExceededError   the time for the whole logical call is spent
    ├── MalformedAnswerError    the peer's answer is not one the contract knows
    ├── PeerFailedError         the peer answered that it failed (a problem of 500 or above)
    └── CallRejectedError       one of our own policies refused the call: nothing was sent
        ├── DeadlineSpentError  the deadline had passed before the call began
        ├── CircuitOpenError    the peer's circuit breaker lets no call through
        └── BulkheadFullError   as many calls are at the peer, and wait for it, as may

A `ProblemError` from a peer is therefore always a definite answer: it was asked and it refused. After
a `CallError` that is no `CallRejectedError`, nobody knows what the peer did.

What a caller may do about an error is on the error itself: `retried`, `took_no_effect`, `pushback`.

Foreign errors (aiohttp's, gRPC's, SQLAlchemy's) become these once, at the adapter that meets them;
these become HTTP or gRPC answers once, at the server that sends them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.edge import Edge


class ErrorEntry(Protocol):
    """A row of the error catalogue, as `services.contracts.errors` holds them."""

    @property
    def slug(self) -> str: ...
    @property
    def http_status(self) -> int: ...
    @property
    def grpc_status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def title(self) -> str: ...


Catalogue = Mapping[str, ErrorEntry]
"""Slug → entry."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request: a path such as `lines[0].quantity`, and why."""

    field: str
    message: str


RETRIED = "retried"
"""The extension by which an answer says that no caller further away needs to retry."""


class FaultlineError(Exception):
    """Root of everything this system raises on purpose.

    `retried`: whoever is next to the failure has retried, or decided not to; nobody else should.
    `took_no_effect`: it is certain that nothing was done, so that even what may be done once only may be tried again.
    `pushback`: seconds that the peer asks its callers to wait before another attempt, below zero to make none; None
    where it does not say.
    """

    retried = False
    took_no_effect = False
    pushback: float | None = None


class SettingsError(FaultlineError):
    """The environment does not describe a runnable process. The text names every wrong key."""


class PortTakenError(FaultlineError):
    """A listener could not bind.

    `setting` is the key that chose `port`.
    """

    def __init__(self, setting: str, host: str, port: int) -> None:
        super().__init__(f"{setting}={port}: {host}:{port} is taken; free it or set {setting} to another port")
        self.setting, self.host, self.port = setting, host, port


class NotReadyError(FaultlineError):
    """A part of this process can't do its work. The text names it."""


class ProblemError(FaultlineError):
    """An answer of the error catalogue.

    `slug` names the catalogue's row, `detail` this occurrence; `errors` says which fields;
    `retry_after` is in seconds; `extensions` are further members of the problem document
    (strings, so that both protocols carry them).
    """

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
        extensions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{slug}: {detail}" if detail else slug)
        self.slug = slug
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extensions = dict(extensions or {})
        self.pushback = retry_after

    @property
    def retried(self) -> bool:
        """Whether the answer says so; it travels as an extension, in both protocols."""
        return self.extensions.get(RETRIED) == "true"

    @retried.setter
    def retried(self, retried: bool) -> None:
        if retried:
            self.extensions[RETRIED] = "true"
        else:
            self.extensions.pop(RETRIED, None)


class CallError(FaultlineError):
    """A call of ours got no answer that could be used: whom we called, for what, and why not.

    `slug` is the catalogue's row that our own caller is answered with; `retry_after` in seconds.
    """

    slug = "service-unavailable"

    def __init__(self, edge: Edge, operation: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{edge.caller} → {edge.callee} {operation}: {reason}")
        self.edge, self.operation, self.reason, self.retry_after = edge, operation, reason, retry_after


class PeerUnavailableError(CallError):
    """Nobody answered at the peer's address, or the connection broke before the answer was whole."""


class AttemptTimeoutError(CallError):
    """One attempt was given up after its own limit; the outcome at the peer is unknown."""


class DeadlineExceededError(CallError):
    """The logical call's deadline passed; the outcome at the peer is unknown."""

    slug = "deadline-exceeded"


class MalformedAnswerError(CallError):
    """The peer answered something that the contract does not know."""


class PeerFailedError(CallError):
    """The peer answered with `problem`, a failure of its own; what it did before that is unknown."""

    def __init__(self, edge: Edge, operation: str, problem: ProblemError) -> None:
        super().__init__(edge, operation, str(problem), retry_after=problem.retry_after)
        self.problem = problem
        self.slug = problem.slug
        self.pushback = problem.pushback
        self.retried = problem.retried


class CallRejectedError(CallError):
    """A policy of ours refused the call before anything was sent: the peer knows nothing of it."""

    took_no_effect = True


class DeadlineSpentError(CallRejectedError):
    """The logical call's deadline had passed before it began."""

    slug = DeadlineExceededError.slug


class CircuitOpenError(CallRejectedError):
    """The edge's circuit breaker is in `state`, which lets no call through; `retry_after` is when it may again."""

    retried = True

    def __init__(self, edge: Edge, operation: str, state: str, *, retry_after: float | None) -> None:
        super().__init__(edge, operation, f"the circuit breaker is {state}", retry_after=retry_after)
        self.state = state


class BulkheadFullError(CallRejectedError):
    """So many calls are at the peer already, and so many wait, that this one may not."""

    retried = True

    def __init__(self, edge: Edge, operation: str, reason: str) -> None:
        super().__init__(edge, operation, reason, retry_after=1.0)


def answer_to(error: CallError, detail: str) -> ProblemError:
    """What our own caller is answered when a call of ours ended with `error`."""
    answer = ProblemError(error.slug, detail, retry_after=error.retry_after or 1.0)
    answer.retried = error.retried
    return answer


def from_peer(problem: ProblemError, edge: Edge, operation: str, catalogue: Catalogue) -> FaultlineError:
    """A peer's problem as it is raised here: itself when it is a refusal, PeerFailedError when it is a failure."""
    failed = catalogue[problem.slug].http_status >= 500
    return PeerFailedError(edge, operation, problem) if failed else problem
