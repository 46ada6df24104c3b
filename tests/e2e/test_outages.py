"""A process dies under load, or is kept from its data, and the chain heals; told to end, it finishes what it began."""

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest

from chaos.invariants import Acknowledged, databases_in, verify
from deploy.system import System
from observability import semconv
from tests.conftest import Counts
from tests.e2e.http_api import TIMED_OUT, Answer, Api, an_order
from tests.e2e.metrics import samples
from tests.e2e.running import SERVICES, admin_url, log_lines, pid_of, shopper
from tests.e2e.traces import Traces
from tests.waiting import become, eventually

HEALED_WITHIN_S = 60.0
GOOD_IN_A_ROW = 10
THINKS_S = 0.4  # a customer, between two purchases
HELD_DOWN_S = 300.0  # until it is started again on purpose


class Load:
    """A few customers, each in a thread of its own, who buy one thing after another until told to stop."""

    def __init__(self, api: Api, threads: int = 4) -> None:
        self.answers: list[Answer] = []
        self.unanswered: list[Exception] = []
        self._api, self._end = api, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    @contextmanager
    def running(self) -> Iterator["Load"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._end.set()
            for thread in self._threads:
                thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self.answers.append(self._api.check_out())
            except (OSError, HTTPException) as exc:  # the gateway itself is away: no answer is what there is
                self.unanswered.append(exc)
            self._end.wait(THINKS_S)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("process", SERVICES)
def test_the_chain_heals_after_a_kill(process: str, own_system: System, counts: Counts) -> None:
    api = shopper(own_system)
    for _ in range(counts(1, 10)):
        with Load(api).running() as load:
            eventually(partial(assert_confirmed, load, 5))
            end(own_system, process, signal.SIGKILL)
            heal(api)
        assert_honest(load, gateway_away=process == "gateway")


def assert_honest(load: Load, *, gateway_away: bool) -> None:
    """Everybody got an answer that says what happened, and when to come again."""
    assert gateway_away or not load.unanswered, load.unanswered[:3]
    statuses = Counter(answer.status for answer in load.answers)
    assert statuses.keys() <= {201, 202, 409, 503, 504}, statuses
    for answer in load.answers:
        assert len(answer.trace_id) == 32
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["type"] == "/problems/service-unavailable"
        if answer.status == 409:  # the request that its first try began was sent again, and found it still running
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["type"] == "/problems/idempotency-key-in-use"
        if answer.status == 202:
            assert answer.json()["status"] == "pending"


@pytest.mark.parametrize("process", ["gateway", "orders"])
def test_a_request_in_flight_is_finished_after_sigterm(process: str, own_system: System) -> None:
    """It is answered as if nothing had happened, and the process is started anew."""
    with slow_checkout(own_system) as answers:
        end(own_system, process, signal.SIGTERM)
    assert [answer.status for answer in answers] == [201], answers


def test_a_call_in_flight_is_finished_after_sigterm(own_system: System) -> None:
    """The step that payments was asked for is done; the next one may find nobody, and the checkout says so."""
    with slow_checkout(own_system) as answers:
        end(own_system, "payments", signal.SIGTERM)
    (answer,) = answers
    assert answer.status in {201, 202, 503}
    trace = Traces(own_system.query_url).whole(answer.trace_id, "gateway", "orders", "payments")
    served = [span for span in trace.spans if (span.service, span.kind) == ("payments", "server")]
    assert {span.tags[semconv.RPC_RESPONSE_STATUS_CODE] for span in served} == {"OK"}


def test_services_run_on_without_a_collector(own_system: System) -> None:
    """Nobody is harmed, and each service says once that it is away and once that it is back."""
    api = shopper(own_system)
    heal(api)
    before = {service: said_of_collector(own_system, service) for service in SERVICES}
    own_system.supervisor.kill("faultline-backend-1", ttl_s=HELD_DOWN_S)
    for service in SERVICES:
        eventually(
            partial(assert_noticed, own_system, service, before[service], "WARNING", api), within=HEALED_WITHIN_S
        )
    own_system.supervisor.restart("faultline-backend-1")
    for service in SERVICES:
        eventually(partial(assert_noticed, own_system, service, before[service], "INFO", api), within=HEALED_WITHIN_S)
        assert [*before[service], "WARNING", "INFO"] == said_of_collector(own_system, service)


@pytest.mark.parametrize("peer", ["orders", "inventory"])
def test_the_gateway_is_no_less_ready_when_a_peer_is_away_and_says_which(peer: str, own_system: System) -> None:
    admin = Api(admin_url(own_system, "gateway"))

    def assert_told(there: bool) -> None:
        answer = admin.get("/readyz")
        assert (answer.status, answer.json()["ready"]) == (200, True)
        found = answer.json()["peers"]
        assert {name for name, outcome in found.items() if outcome != "ok"} == (set() if there else {peer}), found

    eventually(partial(assert_told, True), within=HEALED_WITHIN_S)
    own_system.supervisor.kill(f"{peer}-1", ttl_s=HELD_DOWN_S)
    eventually(partial(assert_told, False), within=HEALED_WITHIN_S)
    own_system.supervisor.restart(f"{peer}-1")
    eventually(partial(assert_told, True), within=HEALED_WITHIN_S)
    heal(shopper(own_system))


@pytest.mark.parametrize(("store", "status"), [("orders", 503), ("inventory", 503), ("payments", 202)])
async def test_while_a_database_is_locked_it_is_said_in_time_and_nothing_is_lost(
    store: str, status: int, own_system: System
) -> None:
    api, user = shopper(own_system), own_system.key("demo").user_id
    answers = buy_in_time(api, own_system.state.data / f"{store}.db")
    told = [answer for answer in answers.values() if answer.status != TIMED_OUT]
    assert {answer.status for answer in told} == {status}, [answer.body for answer in told]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in told if answer.status == 503)
    orders = {key: eventually(partial(bought, api, key), HEALED_WITHIN_S) for key in answers}
    assert all(answer.json().get("order_id", orders[key]) == orders[key] for key, answer in answers.items())

    async def sound() -> None:
        acknowledged = [Acknowledged(order, user, key, "confirmed") for key, order in orders.items()]
        stores = databases_in(own_system.state.path)
        report = await verify(stores, acknowledged, now_us=time.time_ns() // 1000, max_pending_s=HEALED_WITHIN_S)
        assert report.ok, report.violations

    await become(sound, HEALED_WITHIN_S)


def buy_in_time(api: Api, database: Path) -> dict[str, Answer]:
    """Two buy at once while it is locked, and so do others until both are told before the gateway gives up: key → answer.

    That is the first two, but on a busy machine. All is well before each, so that no policy answers for the database.
    """
    answers: dict[str, Answer] = {}
    for number in range(3):
        keys = [f"{database.stem}-is-locked-{number}-{customer}" for customer in range(2)]
        heal(api)
        with locked(database), ThreadPoolExecutor() as customers:
            found = dict(zip(keys, customers.map(lambda key: api.check_out(key=key), keys), strict=True))
        answers.update(found)
        if TIMED_OUT not in {answer.status for answer in found.values()}:
            return answers
    raise AssertionError(f"each time the gateway gave up: {[answer.body for answer in answers.values()]}")


def bought(api: Api, key: str) -> str:
    """The id of the order that was placed with this key, once it is confirmed."""
    answer = api.check_out(key=key)
    assert answer.status == 201, answer.body
    return str(answer.json()["order_id"])


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody else writes to the database, and does not end."""
    other = sqlite3.connect(file, timeout=HEALED_WITHIN_S, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def slow_checkout(system: System) -> Iterator[list[Answer]]:
    """Runs the block while a checkout waits for the card; its answer is there after the block, and all is well again."""
    api = shopper(system)
    heal(api)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(api.check_out(an_order(payment_method="pm_card_slow"))))
    thread.start()
    try:
        eventually(partial(assert_waiting_for_card, system))
        yield answers
    finally:
        thread.join()
        heal(api)


def end(system: System, process: str, number: signal.Signals) -> None:
    """Sends the signal and returns when another process has taken the place."""
    before = pid_of(system, process)
    os.kill(before, number)
    eventually(partial(assert_replaced, system, process, before), HEALED_WITHIN_S)


def heal(api: Api) -> None:
    """Returns when the chain has answered well several times in a row."""

    def check() -> None:
        assert all(api.check_out().status == 201 for _ in range(GOOD_IN_A_ROW))

    eventually(answered(check), HEALED_WITHIN_S)


def answered(check: Callable[[], None]) -> Callable[[], None]:
    """`check`, for which a server that is away is one more reason to try again."""

    def wrapped() -> None:
        try:
            check()
        except (OSError, HTTPException) as exc:
            raise AssertionError(f"no answer: {exc}") from exc

    return wrapped


def assert_confirmed(load: Load, wanted: int) -> None:
    assert sum(answer.status == 201 for answer in load.answers) >= wanted


def assert_replaced(system: System, process: str, before: int) -> None:
    assert pid_of(system, process) != before


def said_of_collector(system: System, service: str) -> list[str]:
    """The levels of the service's log lines about the trace collector."""
    return [line["level"] for line in log_lines(system, service) if "collector" in line]


def assert_noticed(system: System, service: str, before: list[str], level: str, api: Api) -> None:
    assert api.check_out().status == 201  # which makes spans, well or not
    assert level in said_of_collector(system, service)[len(before) :]


def assert_waiting_for_card(system: System) -> None:
    """The order is being served and its goods are reserved, so that the card is asked next."""
    name = semconv.HTTP_SERVER_ACTIVE_REQUESTS.prometheus_name
    assert sum(each.value for each in samples(admin_url(system, "orders"), name)) >= 1
