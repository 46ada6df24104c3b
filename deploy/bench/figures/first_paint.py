"""When the trace backend's first page shows something, with ten thousand traces behind it."""

import time
from statistics import median
from typing import Final

from playwright.sync_api import Browser

from deploy.bench.backend.process import running
from deploy.bench.backend.spans import requests
from deploy.bench.browser import chromium, find_chromium
from deploy.bench.figure import Benchmark, FigureRefusedError, Measured, Say

_TRACES: Final = 10_000
_SPANS_PER_TRACE: Final = 5
_PER_REQUEST: Final = 512
_TIMES: Final = 9
_LISTED: Final = ".traces a"
_PAINTED: Final = "performance.getEntriesByName('first-contentful-paint').map(each => each.startTime)"


def measure(say: Say) -> Measured:
    """The median of several first visits. Raises `FigureRefusedError` without a Chromium, or where no trace is listed."""
    if (path := find_chromium()) is None:
        raise FigureRefusedError("no Chromium on this machine (Debian: apt-get install chromium)")
    say(f"sending {_TRACES:,} traces")
    with running() as backend, chromium(path) as browser:
        now = time.time_ns()
        backend.export_over_grpc(requests(_TRACES, _SPANS_PER_TRACE, _PER_REQUEST, first_ns=now - 10**9 * 120))
        url = f"http://127.0.0.1:{backend.ports['query_port']}/"
        painted = sorted(_painted_ms(browser, url) for _ in range(_TIMES))
    return Measured(
        median(painted),
        f"first contentful paint of the list of traces {median(painted):.0f} ({painted[0]:.0f} to {painted[-1]:.0f}) ms"
        f" after it was asked for; {_TIMES} visits of a browser that has nothing of it",
    )


def _painted_ms(browser: Browser, url: str) -> float:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.locator(_LISTED).first.wait_for()
        page.wait_for_function(f"{_PAINTED}.length")
        [painted] = page.evaluate(_PAINTED)
        return float(painted)


BENCHMARK: Final = Benchmark(
    name="backend/first-paint",
    about="the page of a trace backend with 10,000 traces until it shows something",
    unit="ms",
    goal=1800,  # what web.dev calls a good First Contentful Paint
    better="lower",
    measure=measure,
)
