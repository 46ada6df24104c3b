"""What happens in the demonstration once the system is up, in order."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import aiohttp
from rich.text import Text

from chaos.load import DEFAULT_MIX, Kind, LoadError, LoadPlan, Mix, Result, fetch_product_ids, run_load
from chaos.load.report import LoadReport
from chaos.load.table import generator_line, summary_table
from deploy.cli import waterfall_view
from deploy.demo.checks import is_whole, missing_services, problems_of_traffic
from deploy.demo.screen import Screen
from deploy.demo.settings import MIX, Demonstration
from deploy.demo.traces import JaegerTrace, fetch_trace
from observability.embedded import waterfall
from observability.embedded.page import render_self_contained

_WARM_UP: Final = 20  # requests
_WARM_UP_RPS: Final = 40.0


class DemoFailedError(Exception):
    """Something that should have happened did not; the text says what, a line each."""


class System(Protocol):
    """The system as the demonstration meets it: by addresses."""

    @property
    def gateway_url(self) -> str: ...
    @property
    def query_url(self) -> str: ...


@dataclass(frozen=True)
class Told:
    """What the story leaves: the trace that was shown, its page, and the figures of the traffic."""

    trace_id: str
    page: Path
    report: LoadReport


@dataclass(frozen=True)
class Story:
    """`keys` are plain API keys, a user each."""

    system: System
    keys: Sequence[str]
    demonstration: Demonstration
    screen: Screen

    async def tell(self) -> Told:
        """Run all steps. Raises `DemoFailedError` when not everything happened."""
        try:
            products = await fetch_product_ids(self.system.gateway_url, self.keys[0])
            trace = await self._one_checkout(products)
            page = self._write_page(trace)
            return Told(trace["traceID"], page, await self._traffic(products))
        except (LoadError, aiohttp.ClientError) as error:
            raise DemoFailedError(f"{type(error).__name__}: {error}") from error

    async def _one_checkout(self, products: tuple[str, ...]) -> JaegerTrace:
        self.screen.step("One checkout, as one trace")
        # The very first requests find every connection and cache cold; the one to look at should be like the others.
        await self._send(products, DEFAULT_MIX, _WARM_UP)
        [result] = await self._send(products, {Kind.CHECKOUT_OK: 1}, 1)
        if result.answer.outcome.status != 201 or not result.answer.trace_id:
            raise DemoFailedError(f"a plain checkout was answered {result.answer.outcome}, not 201 with a trace id")
        trace = await self._trace(result.answer.trace_id)
        self._show(trace)
        return trace

    async def _send(self, products: tuple[str, ...], mix: Mix, count: int) -> list[Result]:
        results: list[Result] = []
        plan = self._plan(products, mix, _WARM_UP_RPS, count / _WARM_UP_RPS)
        await run_load(plan, self.system.gateway_url, self.keys, on_result=results.append)
        return results

    async def _trace(self, trace_id: str) -> JaegerTrace:
        trace = await fetch_trace(self.system.query_url, trace_id, is_whole, self.demonstration.trace_timeout_s)
        if trace is None:
            raise DemoFailedError(f"trace {trace_id} did not arrive in {self.demonstration.trace_timeout_s:g} s")
        if missing := missing_services(waterfall.build(trace)):
            raise DemoFailedError(f"trace {trace_id} has no span of {', '.join(missing)}")
        return trace

    def _show(self, trace: JaegerTrace) -> None:
        self.screen.show(Text("\n").join(waterfall_view.lines(waterfall.build(trace), self.screen.width)))

    def _write_page(self, trace: JaegerTrace) -> Path:
        folder = self.demonstration.folder
        folder.mkdir(parents=True, exist_ok=True)
        # Another copy may run in the same checkout: the page is replaced as a whole.
        temporary, page = folder / f"trace.{os.getpid()}.tmp", folder / "trace.html"
        temporary.write_text(render_self_contained(trace), encoding="utf-8")
        temporary.replace(page)
        self.screen.line(f"as a page: {page}")
        return page

    async def _traffic(self, products: tuple[str, ...]) -> LoadReport:
        rps, duration_s = self.demonstration.rps, self.demonstration.duration_s
        self.screen.step(f"Traffic: {rps:g} requests per second for {duration_s:g} s")
        plan = self._plan(products, MIX, rps, duration_s)
        with self.screen.traffic() as on_progress:
            report = await run_load(plan, self.system.gateway_url, self.keys, on_progress)
        self.screen.show(summary_table(report))
        self.screen.line(generator_line(report), "dim")
        if problems := list(problems_of_traffic(report, self.demonstration.most_failed)):
            raise DemoFailedError("\n".join(problems))
        return report

    def _plan(self, products: tuple[str, ...], mix: Mix, rps: float, duration_s: float) -> LoadPlan:
        run_id = secrets.token_hex(4)
        return LoadPlan(rps, duration_s, self.demonstration.seed, products, run_id, users=len(self.keys), mix=mix)
