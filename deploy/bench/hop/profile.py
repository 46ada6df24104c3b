"""Where a hop's processor time goes, by sampling the stack of the thread that serves.

A sample belongs to whoever wrote the innermost frame, or where that is a library which anybody may call, to who called
it. Frames of coroutines within the framework are its own work; its plain functions may have been called from elsewhere,
as its routes are to name a span.
"""

import inspect
import signal
import time
from collections import Counter
from collections.abc import Mapping
from types import FrameType
from typing import Final

_EVERY_S: Final = 0.001  # of processor time; the system may round it up

_OWNERS: Final = (
    ("/opentelemetry/sdk/", "OpenTelemetry's SDK"),
    ("/observability/span_export", "OpenTelemetry's SDK"),
    ("/opentelemetry/", "OpenTelemetry's API and instrumentation"),
    ("/services/chassis/http/server_span", "our spans"),
    ("/services/chassis/http/middleware", "our metrics"),
    ("/observability/metrics", "our metrics"),
    ("/prometheus_client/", "our metrics"),
    ("/uvicorn/", "uvicorn"),
    ("/h11/", "uvicorn"),
    ("/services/chassis/http/", "uvicorn"),  # the protocol and its bounds
    ("/asyncio/", "uvicorn"),
)
_FRAMEWORK: Final = ("/starlette/", "/fastapi/", "/deploy/bench/hop/app")


class Profile:
    """Samples from `start` to `stop`. In the main thread, one at a time."""

    def __init__(self) -> None:
        self._spent_ns: Counter[str] = Counter()
        self._last_ns = 0

    def start(self) -> None:
        """Forgets what was sampled before."""
        self._spent_ns.clear()
        self._last_ns = time.thread_time_ns()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)

    def stop(self) -> Mapping[str, float]:
        """Whose work → its share of the thread's time, the largest first."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = self._spent_ns.total() or 1
        return {owner: spent / total for owner, spent in self._spent_ns.most_common()}

    def _sample(self, _: int, frame: FrameType | None) -> None:
        # The timer counts what other threads spend too: a sample weighs what this one has spent since the last.
        now = time.thread_time_ns()
        self._spent_ns[_owner(frame)] += now - self._last_ns
        self._last_ns = now


def _owner(frame: FrameType | None) -> str:
    while frame:
        file = frame.f_code.co_filename
        for part, owner in _OWNERS:
            if part in file:
                return owner
        if frame.f_code.co_flags & inspect.CO_COROUTINE and any(part in file for part in _FRAMEWORK):
            return "FastAPI"
        frame = frame.f_back
    return "other"
