"""The sampler, on a process of which there is nothing but its metrics."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise

import pytest

from chaos.control.target import Instance
from chaos.measure.errors import MeasureError
from chaos.measure.sampler import Sampler
from chaos.measure.samples import Sample, increase
from chaos.measure.site import Site
from observability.exposition import Series
from tests.unit.experiments.making import SITE
from tests.waiting import eventually

CALLS = "calls_total"
THREADS, SAMPLES = 8, 10


@pytest.fixture
def site() -> Iterator[Site]:
    """Its one process shows a counter that is one higher each time."""
    shown = count(1)

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{CALLS} {next(shown)}\n".encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        instances = [Instance("orders-1", "orders", "127.0.0.1", {"ADMIN_PORT": server.server_address[1]})]
        yield replace(SITE, target=replace(SITE.target, instances=instances))
        server.shutdown()


def test_samples_of_several_threads_are_in_order(site: Site) -> None:
    sampler = Sampler(site, {CALLS}, began=0.0)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda _: sampler.sample(), range(THREADS * SAMPLES)))
    samples = sampler.ring.all()
    assert len(samples) == THREADS * SAMPLES
    assert all(before.at_s <= after.at_s for before, after in pairwise(samples))
    shown = [each.metrics["orders-1"][Series(CALLS)] for each in samples]
    assert increase(samples, lambda _: True) == shown[-1] - shown[0] == len(samples) - 1


def test_what_ends_the_sampler_is_told(site: Site) -> None:
    def fail(_: Sample) -> None:
        raise ValueError("no such column")

    told: list[str] = []

    def heard() -> None:
        assert told == ["ValueError: no such column"]

    with Sampler(site, {CALLS}, 0.0, fail, told.append):
        eventually(heard)


def test_who_could_not_take_one_sample_gets_the_next(site: Site) -> None:
    heard: list[Sample] = []
    told: list[str] = []

    def fail_at_first(sample: Sample) -> None:
        heard.append(sample)
        if len(heard) == 1:
            raise MeasureError("away")

    def another() -> None:
        assert len(heard) > 1

    with Sampler(site, {CALLS}, 0.0, fail_at_first, told.append):
        eventually(another)
    assert told == []
