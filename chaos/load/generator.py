"""Sends a plan, open-loop: a request leaves when its time has come, whether or not those before it were answered.

So a slow system is met by the load it would meet in life, and its slowness is not hidden: latency counts from the
moment a request *should* have left. Both the number of requests and the time are bounded; nothing outlives `run_load`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from chaos.load.errors import PlanError
from chaos.load.outcomes import NOT_SENT
from chaos.load.plan import Arrival, LoadPlan
from chaos.load.report import LoadReport
from chaos.load.sender import Answer, Sender, open_session
from chaos.load.summary import Summary
from chaos.load.target import loopback_url


@dataclass(frozen=True)
class Limits:
    """What one run may use. The timeout is for one request, from sending to the end of its answer.

    `containers`: names of containers on this machine that requests may go to, besides its loopback addresses.
    """

    timeout_s: float = 10.0
    max_in_flight: int = 1000
    progress_every_s: float = 0.5
    containers: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One request and what became of it. `latency_s` counts from the intended time, `lag_s` is how late it left."""

    arrival: Arrival
    answer: Answer
    latency_s: float
    lag_s: float


OnProgress = Callable[[LoadReport], None]
OnResult = Callable[[Result], None]


async def run_load(
    plan: LoadPlan,
    gateway_url: str,
    keys: Sequence[str],
    on_progress: OnProgress | None = None,
    *,
    on_result: OnResult | None = None,
    stop: asyncio.Event | None = None,
    limits: Limits | None = None,
) -> LoadReport:
    """Send the whole plan and report. User n of the plan uses `keys[n]`, plain API keys.

    `on_progress` gets the report so far every `progress_every_s`, `on_result` every single result; both run in the
    loop and must be quick. Setting `stop` ends the sending; what is in flight is still awaited.
    Takes at most the plan's duration and one timeout. When cancelled, everything in flight is cancelled with it; so it
    is when a listener raises, whose error comes in an `ExceptionGroup`.
    Raises `TargetError` for an address that is not on this machine, `PlanError` when there are fewer keys than users.
    """
    limits = limits or Limits()
    base_url = loopback_url(gateway_url, limits.containers)
    if len(keys) < plan.users:
        raise PlanError(f"users: {plan.users}, but there are only {len(keys)} keys")
    async with open_session(limits.timeout_s) as session:
        run = _Run(plan, Sender(session, base_url, keys), limits, stop or asyncio.Event())
        return await run.go(on_progress, on_result)


class _Run:
    """One run under way. Times are the loop's clock."""

    def __init__(self, plan: LoadPlan, sender: Sender, limits: Limits, stop: asyncio.Event) -> None:
        self._plan = plan
        self._sender = sender
        self._limits = limits
        self._stop = stop
        self._summary = Summary(plan, limits.max_in_flight)
        self._on_result: OnResult | None = None
        self._start = 0.0

    async def go(self, on_progress: OnProgress | None, on_result: OnResult | None) -> LoadReport:
        self._on_result = on_result
        self._start = self._now()
        async with asyncio.TaskGroup() as beside:
            reporter = beside.create_task(self._report_progress(on_progress))
            async with asyncio.TaskGroup() as requests:
                await self._pace(requests)
            reporter.cancel()
        return self._report(finished=True)

    async def _pace(self, requests: asyncio.TaskGroup) -> None:
        for arrival in self._plan.arrivals():
            await self._wait_until(self._start + arrival.at_s)
            if self._stop.is_set():
                return
            self._launch(requests, arrival)

    async def _wait_until(self, when: float) -> None:
        """Until then, or until stopped; lets the others run in any case, so that a plan behind its time ends too."""
        try:
            async with asyncio.timeout_at(max(when, self._now())):
                await self._stop.wait()
        except TimeoutError:
            return

    def _launch(self, requests: asyncio.TaskGroup, arrival: Arrival) -> None:
        if self._summary.in_flight >= self._limits.max_in_flight:
            self._summary.not_sent(_route(arrival), NOT_SENT)
        else:
            self._summary.started(self._now() - self._start - arrival.at_s)
            requests.create_task(self._send(arrival))

    async def _send(self, arrival: Arrival) -> None:
        due = self._start + arrival.at_s
        lag_s = self._now() - due
        answer = await self._sender.send(arrival)
        latency_s = self._now() - due
        self._summary.finished(_route(arrival), answer.outcome, latency_s, answer.trace_id)
        if self._on_result:
            self._on_result(Result(arrival, answer, latency_s, lag_s))

    async def _report_progress(self, on_progress: OnProgress | None) -> None:
        while on_progress:
            await asyncio.sleep(self._limits.progress_every_s)
            on_progress(self._report(finished=False))

    def _report(self, *, finished: bool) -> LoadReport:
        return self._summary.report(self._now() - self._start, finished=finished)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _route(arrival: Arrival) -> str:
    return f"{arrival.request.method} {arrival.request.route}"
