"""Shared by every test: how much to do, a running system, and whether a browser is there."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psutil
import pytest
from playwright.sync_api import Browser
from xdist.remote import Producer

from deploy.bench.browser import chromium, find_chromium
from deploy.system import System, start_system
from observability import garbage
from tests import distribution, inherited_signals

pytest_plugins = ["tests.postgresql"]

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Counts:
    """How much a long test does: `counts(small, full)` is `full` in `make test-long`, else `small`."""

    full: bool

    def __call__(self, small: int, full: int) -> int:
        return full if self.full else small


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long tests with their full counts")


def pytest_configure(config: pytest.Config) -> None:
    """Generated cases are the same in every short run, so that a failure is the change's; the long run searches.

    None has a deadline: how long it takes is the machine's business.
    """
    hypothesis.settings.register_profile("same", deadline=None, derandomize=True, database=None)
    hypothesis.settings.register_profile("searching", deadline=None)
    hypothesis.settings.load_profile("searching" if config.getoption("--long") else "same")
    garbage.hold_back()


def pytest_collection_finish() -> None:
    """Before the first test of the process that runs them.

    No test's garbage is looked for among what was imported and collected, a million objects.
    """
    garbage.settle()
    inherited_signals.keep_from_others()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return distribution.workers(psutil.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> distribution.Scheduling | None:
    return distribution.Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: distribution.place_of(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged may hold half a surrogate pair, on purpose; a report is sent between processes as UTF-8."""
    report = yield
    report.sections = [(title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections]
    return report


@pytest.fixture(scope="session")
def counts(request: pytest.FixtureRequest) -> Counts:
    return Counts(full=request.config.getoption("--long"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that the code under test was checked out to."""
    return CHECKOUT


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system on free ports, as `faultline up` starts it. For tests that only use it: not to be hurt."""
    with start_system(tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window.

    No longer than a module: while it is open its event loop runs, and asynchronous tests could not.
    """
    if (found := find_chromium()) is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with chromium(found) as started:
        yield started
