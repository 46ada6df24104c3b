"""Which experiments run on the system, as whoever runs them says at the control listener. It changes nothing but a metric.

    PUT    /experiments/{name}   {"arm": "full", "ttl_s": 5}: 200; said again and again while it runs
    GET    /experiments          {"experiments": [{"name": ..., "arm": ..., "remaining_s": ...}]}
    DELETE /experiments/{name}   204, also when there is none: it is over

An experimenter who dies says nothing any more, and is believed no longer than its time to live. What cannot be is 422.
"""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observability import semconv
from observability.metrics import Instruments
from services.chassis.http.problems import MEDIA_TYPE
from services.chassis.resilience.clock import MONOTONIC, Clock

MAX_TTL_S: Final = 60.0
MAX_SERIES: Final = 50
OTHER: Final = "other"
"""The label of experiments and arms beyond the first `MAX_SERIES`: labels are bounded, whatever names are chosen."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _InvalidError(Exception):
    """What was said cannot be; the text names the field."""


@dataclass(frozen=True)
class _Running:
    arm: str
    expires_at: float


class Experiments:
    """Those that run, each with the arm it is in. Safe to use from any thread."""

    def __init__(self, metrics: Instruments, clock: Clock = MONOTONIC) -> None:
        self._metrics, self._clock = metrics, clock
        self._running: dict[str, _Running] = {}
        self._series: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def runs(self, name: str, arm: str, ttl_s: float) -> None:
        """It runs, and is believed to for so many seconds from now."""
        with self._lock:
            now = self._clock()
            self._running = {each: known for each, known in self._running.items() if known.expires_at > now}
            self._running[name] = _Running(arm, now + ttl_s)
            self._declare(self._labels(name, arm))

    def over(self, name: str) -> None:
        """It has ended."""
        with self._lock:
            self._running.pop(name, None)

    def active(self) -> Sequence[Mapping[str, str | float]]:
        """Those that run now."""
        with self._lock:
            left = [(name, each.arm, each.expires_at - self._clock()) for name, each in self._running.items()]
        return [{"name": name, "arm": arm, "remaining_s": round(rest, 3)} for name, arm, rest in left if rest > 0]

    def _labels(self, name: str, arm: str) -> tuple[str, str]:
        labels = (name, arm)
        return labels if labels in self._series or len(self._series) < MAX_SERIES else (OTHER, OTHER)

    def _declare(self, labels: tuple[str, str]) -> None:
        """From now on the series tells, whenever it is looked at, whether it runs."""
        if labels not in self._series:
            self._series.add(labels)
            self._metrics.follow(semconv.EXPERIMENT_ACTIVE, lambda: self._is_active(labels), *labels)

    def _is_active(self, labels: tuple[str, str]) -> float:
        found = ((str(each["name"]), str(each["arm"])) for each in self.active())
        if labels == (OTHER, OTHER):
            return float(any(each not in self._series for each in found))
        return float(labels in found)


def routes(experiments: Experiments) -> list[Route]:
    """The routes over `experiments`."""

    async def say(request: Request) -> Response:
        try:
            name, (arm, ttl_s) = _name("name", request.path_params["name"]), _read(await request.body())
        except _InvalidError as exc:
            document = {"type": "about:blank", "title": "No such experiment", "status": 422, "detail": str(exc)}
            return JSONResponse(document, 422, media_type=MEDIA_TYPE)
        experiments.runs(name, arm, ttl_s)
        return JSONResponse({"name": name, "arm": arm, "remaining_s": ttl_s})

    async def show(_: Request) -> Response:
        return JSONResponse({"experiments": experiments.active()})

    async def end(request: Request) -> Response:
        experiments.over(request.path_params["name"])
        return Response(status_code=204)

    return [
        Route("/experiments", show, methods=["GET"]),
        Route("/experiments/{name}", say, methods=["PUT"]),
        Route("/experiments/{name}", end, methods=["DELETE"]),
    ]


def _read(body: bytes) -> tuple[str, float]:
    try:
        found: Any = json.loads(body)
    except ValueError as exc:
        raise _InvalidError("the body is not JSON") from exc
    if not isinstance(found, dict) or found.keys() != {"arm", "ttl_s"}:
        raise _InvalidError('the body must be an object such as {"arm": "full", "ttl_s": 5}')
    return _name("arm", found["arm"]), _ttl_s(found["ttl_s"])


def _name(field: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _InvalidError(f"{field} must be 1 to 64 letters, digits, `.`, `_` or `-`")
    return value


def _ttl_s(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TTL_S:
        raise _InvalidError(f"ttl_s must be above 0, up to {MAX_TTL_S:g} seconds")
    return float(value)
