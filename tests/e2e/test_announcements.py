"""Whoever runs an experiment and is killed is not believed to run it any more."""

import subprocess
import sys

from deploy.system import System
from observability import semconv
from tests.conftest import CHECKOUT
from tests.e2e.metrics import samples
from tests.e2e.running import admin_url
from tests.waiting import eventually

EXPERIMENT, ARM = "killed-on-the-way", "full"
WITHIN_S = 60.0

_EXPERIMENTER = """
import sys, threading
from chaos.control import HttpExperimentControl, target
from chaos.toolkit.announcement import Announcement
with Announcement(HttpExperimentControl(target.read(sys.argv[1]), "gateway"), *sys.argv[2:]):
    threading.Event().wait()
"""


def told(system: System) -> list[float]:
    labels = {
        semconv.prometheus_label(semconv.EXPERIMENT): EXPERIMENT,
        semconv.prometheus_label(semconv.EXPERIMENT_ARM): ARM,
    }
    name = semconv.EXPERIMENT_ACTIVE.prometheus_name
    return [each.value for each in samples(admin_url(system, "gateway"), name, **labels)]


def test_who_is_killed_is_believed_for_seconds_only(system: System) -> None:
    def check(expected: list[float]) -> None:
        assert told(system) == expected

    assert told(system) == []
    command = [sys.executable, "-c", _EXPERIMENTER, str(system.state.path), EXPERIMENT, ARM]
    with subprocess.Popen(command, cwd=CHECKOUT) as running:
        try:
            eventually(lambda: check([1]), WITHIN_S)
        finally:
            running.kill()
    eventually(lambda: check([0]), WITHIN_S)
