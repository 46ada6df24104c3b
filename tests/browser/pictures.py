"""Makes the pictures that the README shows, from a system started for it and hurt a little: `make pictures`."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page

from chaos.control import Fault, HttpFaultControl, target
from chaos.report.page import write as page_of
from chaos.runs import catalogue, experimenter
from chaos.runs.experimenter import Wanted, Watcher
from deploy.bench.browser import chromium, find_chromium
from deploy.system import System, start_system
from deploy.topology import ALERTS
from observability import semconv
from tests.backends.clients import Prometheus
from tests.backends.programs import found as programs_here
from tests.conftest import CHECKOUT
from tests.e2e.http_api import Api
from tests.e2e.policies import switch
from tests.e2e.running import SERVICES, shopper
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces
from tests.waiting import eventually

FOLDER = CHECKOUT / "docs" / "pictures"
MOST_BYTES = 300_000
PROGRAMS = ("prometheus", "alertmanager")
ALERT = "CheckoutAvailabilityBurnRate"
WITHIN_S = 300.0
HALF_FAILS = Fault("payments", "error", 600.0, operation="Authorize", probability=0.5)
GRAPH = {
    "g0.expr": "sum by (faultline_outcome) (rate(faultline_call_attempts_total{faultline_callee='payments'}[15s]))",
    "g0.tab": "0",
    "g0.range_input": "3m",
    "g0.stacked": "1",
}
FAILING = Fault("payments", "error", 60.0, probability=0.4)
SLOW = Fault("payments", "latency", 60.0, {"ms": 600}, operation="Authorize")
ROUNDS = 12


def main() -> None:
    """Buys while payments are slow, and again while they fail now and then; then takes the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_system(Path(folder) / "state") as system:
        customer, faults = shopper(system), HttpFaultControl(target.read(system.state.path))
        for fault in (None, SLOW, None, FAILING):
            if fault:
                faults.add(fault)
            last = [_visit(customer) for _ in range(ROUNDS)][-1]
            faults.clear()
        Traces(system.query_url).whole(last, *SERVICES)
        report = _report(system)  # before there is a browser, whose event loop runs in this thread
        for page in _browser():
            _take(page, f"{system.query_url}/?service=gateway&limit=500", "search.png")
            _take(page, f"{system.query_url}/trace/{_retried(system.query_url)}", "trace.png")
            _take(page, report.as_uri(), "report.png", height=1450)
    if _have_prometheus():
        _alerting()


def _report(system: System) -> Path:
    """The page of an experiment, with policies off and on."""
    found, folder = experimenter.run(
        catalogue.load("failing-payments"), Wanted(("off", "full")), system.state.path, Watcher()
    )
    print(f"report.png: {found['verdict']['outcome']}")
    return page_of(found, folder)


def _have_prometheus() -> bool:
    missing = [name for name in PROGRAMS if name not in programs_here()]
    if missing:
        print(f"alert.png, graph.png: left as they are, without {' and '.join(missing)}; see `make backends`")
    return not missing


def _alerting() -> None:
    """Half of the payments fail until a page was delivered, and no more until its end was; Prometheus's own pages show it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_system(Path(folder) / "state", topology=PLENTIFUL_REFERENCE, programs=PROGRAMS, load_rps=8) as system,
    ):
        for caller, callee in (("orders", "payments"), ("gateway", "orders")):
            switch(system, caller, callee, preset="timeouts")
        prometheus, faults = system.topology["prometheus_url"], HttpFaultControl(target.read(system.state.path))
        alerts = Api(system.url(f"{ALERTS}-1", "HTTP_PORT"))
        eventually(lambda: _watched_for_long(Prometheus(prometheus)), WITHIN_S)
        faults.add(HALF_FAILS)
        eventually(lambda: _delivered(alerts, "firing"), WITHIN_S)
        for page in _browser():
            _take_alert(page, f"{prometheus}/classic/alerts")
        faults.clear()
        eventually(lambda: _delivered(alerts, "resolved"), WITHIN_S)
        for page in _browser():
            _take(page, f"{prometheus}/classic/graph?{urlencode(GRAPH)}", "graph.png", await_=".rickshaw_graph path")


def _watched_for_long(prometheus: Prometheus) -> None:
    assert prometheus.query('count_over_time(up{service="payments"}[1m]) >= 20')


def _delivered(alerts: Api, status: str) -> None:
    """Raises AssertionError while no page for checkouts was delivered in this state."""
    told = [
        (each["alertname"], each["severity"], each["status"]) for each in alerts.get("/api/alerts").json()["delivered"]
    ]
    assert (ALERT, "page", status) in told


def _take_alert(page: Page, address: str) -> None:
    """The alert that pages, opened, as Debian's Prometheus shows it on its own page."""
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.goto(address, wait_until="networkidle")
    heads = page.locator("tr.alert_header", has_text=ALERT)
    for index in range(heads.count()):
        heads.nth(index).click()
    details = page.locator("tr.alert_details", has_text='severity="page"').first
    details.wait_for(state="visible")
    _keep(details.screenshot(), "alert.png")


def _visit(customer: Api) -> str:
    """Browses and buys; the trace of the purchase."""
    for path in ("/api/v1/products", "/api/v1/products/p-0001", "/api/v1/products?limit=5"):
        customer.get(path)
    return customer.check_out().trace_id


def _retried(query_url: str) -> str:
    """A checkout that went well, and first did not; of several the shortest, whose picture shows most of it."""
    tags = json.dumps({"event": semconv.EVENT_RETRY})
    query = urlencode({"service": "orders", "operation": "payments Authorize", "tags": tags, "limit": 100})
    found = Api(query_url).get(f"/api/traces?{query}").json()["data"]
    return str(min(filter(_went_well, found), key=lambda trace: len(trace["spans"]))["traceID"])


def _went_well(trace: dict[str, Any]) -> bool:
    tags = [(tag["key"], tag["value"]) for span in trace["spans"] for tag in span["tags"]]
    return (semconv.HTTP_RESPONSE_STATUS_CODE, 201) in tags


def _browser() -> Iterator[Page]:
    """One page as large as a picture, closed at the end."""
    if (found := find_chromium()) is None:
        sys.exit("no Chromium on this machine (Debian: apt-get install chromium)")
    with chromium(found) as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 860})


def _take(page: Page, address: str, name: str, *, height: int = 860, await_: str = "body") -> None:
    """A picture of the page at `address`, once it has what `await_` selects."""
    page.set_viewport_size({"width": 1280, "height": height})
    page.goto(address, wait_until="networkidle")
    page.locator(await_).first.wait_for(state="attached")
    _keep(page.screenshot(), name)


def _keep(picture: bytes, name: str) -> None:
    if len(picture) > MOST_BYTES:
        sys.exit(f"{name}: {len(picture)} bytes, more than {MOST_BYTES}")
    (FOLDER / name).write_bytes(picture)
    print((FOLDER / name).relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
