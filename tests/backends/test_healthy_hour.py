"""As long a healthy run as an hour is in `demo` windows alerts nobody: asked of a real Prometheus, and of who was told."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import ceil
from pathlib import Path

import pytest

from chaos.measure.background_load import BackgroundLoad, LoadOptions
from chaos.measure.requests import Request, of_journey
from chaos.measure.site import site_of
from deploy.programs.catalogue import PROFILE
from deploy.system import System, start_system
from deploy.topology import ALERTS
from observability.stack.objectives import load_all
from tests.backends.clients import Prometheus
from tests.backends.programs import READY_WITHIN_S, need
from tests.conftest import Counts
from tests.e2e.http_api import Api
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.waiting import eventually

SLO = load_all()
HOUR_S = SLO.profiles[PROFILE].length_s("1h")
RPS = 4.0
QUIET_WITHIN_S = 300.0
"""A system that starts on a busy machine is slow at first, and may rightly be told of."""
ATTEMPTS = 3
A_FEW = 2
"""Bad requests that are no trouble, however few there were in all."""


class Watched:
    """A system under load, and what Prometheus and the receiver of notifications say of it."""

    def __init__(self, system: System, load: BackgroundLoad) -> None:
        self.load = load
        self._prometheus = Prometheus(system.topology["prometheus_url"])
        self._receiver = Api(system.url(f"{ALERTS}-1", "HTTP_PORT"))

    def quiet(self) -> None:
        """Raises AssertionError while alerts do not come through yet, or one fires."""
        found = self._receiver.get("/api/alerts").json()
        assert found["evaluator"] == "prometheus", found
        assert found["watchdog_heard_at"], "the watchdog was not heard yet"
        firing = {each["alertname"] for each in found["alerts"] if each["state"] == "firing"}
        assert firing == {"Watchdog"}

    def asked_for(self, seconds: float) -> None:
        """Raises AssertionError until customers have come for so long."""
        assert not self.load.failure
        assert self.load.finished()[-1].at_s >= seconds

    def fired(self, since_s: float) -> list[str]:
        """The alerts that were firing at any time since then, but for the watchdog."""
        lasted = ceil(time.time() - since_s)
        found = self._prometheus.query(
            f'count_over_time(ALERTS{{alertname!="Watchdog",alertstate="firing"}}[{lasted}s])'
        )
        return sorted(f"{each.labels['alertname']} ({each.labels['severity']})" for each in found)

    def watched_for(self, since_s: float) -> float:
        """How often Prometheus found the watchdog firing since then: without that, the others' silence tells nothing."""
        lasted = ceil(time.time() - since_s)
        (found,) = self._prometheus.query(f'count_over_time(ALERTS{{alertname="Watchdog"}}[{lasted}s])')
        return found.value

    def told(self, since_s: float) -> list[str]:
        """What somebody was told of since then."""
        delivered = self._receiver.get("/api/alerts").json()["delivered"]
        return [
            each["alertname"]
            for each in delivered
            if each["status"] == "firing" and datetime.fromisoformat(each["at"]).timestamp() >= since_s
        ]


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Under load from the start: without customers there is an alert."""
    with start_system(
        folder,
        topology=PLENTIFUL_REFERENCE,
        programs=("prometheus", "alertmanager"),
        ready_deadline_s=READY_WITHIN_S,
    ) as system:
        options = LoadOptions(RPS, at_most_s=3600)
        with BackgroundLoad(site_of(system.state.path), options) as load:
            yield Watched(system, load)


def troubles(requests: Sequence[Request], since_s: float) -> list[str]:
    """Objectives that came near to being broken at any moment since then, as customers saw it: there was no healthy hour.

    Counted from the first request on, as an alert's windows do that are longer than the run.
    """
    found: dict[str, str] = {}
    for journey, objective in SLO.objectives.items():
        bad = Counter[str]()
        due = sorted(of_journey(requests, journey), key=lambda each: each.at_s)
        for seen, each in enumerate(due, start=1):
            bad["availability"] += not each.good
            bad["latency"] += each.latency_s > objective.latency.threshold_s
            for aspect, goal in (("availability", objective.availability), ("latency", objective.latency)):
                if each.at_s >= since_s and bad[aspect] > max(A_FEW, seen * goal.budget / 2):
                    found[f"{journey} {aspect}"] = f"{journey} {aspect}: {bad[aspect]} of {seen}"
    return list(found.values())


def live_through(system: Watched, seconds: float) -> list[str]:
    """So long a time under load, in which nobody is alerted where it was a healthy one; else what was wrong with it."""
    eventually(system.quiet, QUIET_WITHIN_S)
    began_s, since_s = time.time(), system.load.finished()[-1].at_s
    eventually(lambda: system.asked_for(since_s + seconds), within=2 * seconds + 60)
    if trouble := troubles(system.load.finished(), since_s):
        return trouble
    assert system.watched_for(began_s) >= seconds / SLO.profiles[PROFILE].scrape_interval_s / 2
    assert system.fired(began_s) == []
    assert system.told(began_s) == []
    return []


@pytest.mark.timeout(3600)
def test_a_healthy_hour_alerts_nobody(tmp_path: Path, counts: Counts) -> None:
    for name in ("prometheus", "alertmanager"):
        need(name)
    for attempt in range(ATTEMPTS):
        with watched(tmp_path / str(attempt)) as system:
            trouble = live_through(system, counts(1, 6) * HOUR_S)
        if not trouble:
            return
    pytest.skip(f"no healthy hour on this machine, which was too busy {ATTEMPTS} times: {', '.join(trouble)}")
