"""A peer is away: what its callers' policies make of it, switched while the system runs."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chaos.control import Fault, HttpFaultControl, HttpPolicyControl, target
from deploy.system import System, start_system
from deploy.topology import EDGES
from observability import semconv
from tests.e2e.http_api import Answer, Api
from tests.e2e.policies import Calls, ask_policies, switch
from tests.e2e.running import SERVICES, shopper
from tests.e2e.topologies import LEFT_ALONE_REFERENCE, PLENTIFUL_REFERENCE
from tests.e2e.traces import Traces
from tests.waiting import eventually

CHECKOUTS = 60
HELD_DOWN_S = 300.0
READS_TO_LEARN_FROM = 60


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose payments is killed and held down, and in which nobody but requests calls anybody."""
    with start_system(tmp_path_factory.mktemp("broken"), topology=LEFT_ALONE_REFERENCE) as started:
        eventually(partial(assert_sells, shopper(started)))
        started.supervisor.kill("payments-1", ttl_s=HELD_DOWN_S)
        yield started


@pytest.fixture(scope="module")
def healing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with two replicas of orders, in which each test that hurts somebody heals them."""
    folder = tmp_path_factory.mktemp("healing")
    with start_system(folder, topology=PLENTIFUL_REFERENCE, replicas={"orders": 2}) as started:
        yield started


def assert_sells(api: Api) -> None:
    assert api.check_out().status == 201


def assert_started_again(system: System, instance: str, old_pid: int) -> None:
    found = system.supervisor.process(instance)
    assert found["state"] == "ready", found
    assert found["pid"] != old_pid


def in_force(system: System, instance: str) -> Mapping[str, list[str]]:
    """Edge → its policies in force in this replica."""
    shown = HttpPolicyControl(target.read(system.state.path)).show()
    return {each.edge: [each.preset, *each.in_force] for each in shown.edges if each.instance == instance}


def check_out(api: Api, times: int) -> Counter[int]:
    """The statuses of so many checkouts, a few at a time."""

    def one(_: int) -> Answer:
        return api.check_out()

    with ThreadPoolExecutor(4) as pool:
        return Counter(answer.status for answer in pool.map(one, range(times)))


@pytest.mark.parametrize(
    ("preset", "checkouts", "least", "most"),
    [("off", 10, 1, 1), ("timeouts", 10, 1, 1), ("retries", 20, 3, 3), ("budgeted", CHECKOUTS, 1.1, 1.2)],
)
def test_what_a_dead_peer_gets(preset: str, checkouts: int, least: float, most: float, broken: System) -> None:
    switch(broken, "gateway", "orders", preset="timeouts")
    switch(broken, "orders", "payments", preset=preset)
    calls = Calls(broken, "orders", "payments")
    assert check_out(shopper(broken), checkouts).keys() == {503}
    assert calls.number == checkouts
    assert least <= calls.amplification <= most


def test_each_attempt_is_in_the_trace_below_its_call(broken: System) -> None:
    switch(broken, "orders", "payments", preset="retries")
    answer = shopper(broken).check_out()
    trace = Traces(broken.query_url).whole(answer.trace_id, "gateway", "orders")
    (call,) = [span for span in trace.spans if span.operation == "payments Authorize"]
    attempts = [span for span in trace.children(call) if span.kind == "client"]
    assert [span.tags[semconv.ATTEMPT] for span in attempts] == [1, 2, 3]
    assert [event["event"] for event in call.events] == [
        semconv.EVENT_RETRY,
        semconv.EVENT_RETRY,
        semconv.EVENT_RETRY_STOPPED,
    ]
    (gateways,) = [span for span in trace.spans if span.operation == "orders place_order"]
    assert len(list(trace.children(gateways))) == 1, "only the caller next to the failure retries"


def test_with_everything_in_force_nobody_is_refused_and_the_peer_is_left_in_peace(broken: System) -> None:
    """Orders are kept for later; and the breaker opens, so that not even first attempts are made."""
    for caller, callee in (("gateway", "orders"), ("orders", "payments")):
        switch(broken, caller, callee, preset="full")
    calls = Calls(broken, "orders", "payments")
    assert check_out(shopper(broken), CHECKOUTS).keys() == {202}
    assert calls.amplification < 0.9
    breaker = switch(broken, "orders", "payments", fallback=False)["policies"]["breaker"]
    assert breaker["state"] in {"open", "half_open"}
    assert check_out(shopper(broken), 5).keys() == {503}


def test_what_there_is_not_is_refused_with_what_there_is(broken: System) -> None:
    answer = ask_policies(broken, "orders", "PUT", "payments", {"preset": "best"})
    assert (answer.status, answer.json()["type"]) == (422, "/problems/validation-failed")
    assert "off, timeouts, retries, budgeted, breaker, full" in answer.json()["detail"]


def test_every_edge_has_policies(healing: System) -> None:
    shown = {name for caller in SERVICES for name in ask_policies(healing, caller).json()}
    assert shown == {f"{edge.caller}/{edge.callee}" for edge in EDGES}


def test_a_read_without_an_answer_is_asked_for_twice_in_one_trace(healing: System) -> None:
    """What is usual is learnt first; then inventory keeps silent. Neither attempt is answered, so the cache is."""
    api, faults = shopper(healing), HttpFaultControl(target.read(healing.state.path))
    path = "/api/v1/products/p-0002"
    for _ in range(READS_TO_LEARN_FROM):
        assert api.get(path).status == 200
    placed = faults.add(Fault("inventory", "blackhole", ttl_s=60, operation="GetProduct"))
    try:
        answer = api.get(path)
    finally:
        faults.remove(placed[0].fault_id)
    assert (answer.status, answer.json()["degraded"]) == (200, True)
    trace = Traces(healing.query_url).whole(answer.trace_id, "gateway", "inventory")
    (call,) = [span for span in trace.spans if span.operation == "inventory GetProduct"]
    attempts = [span for span in trace.children(call) if span.kind == "client"]
    assert sorted(span.tags[semconv.ATTEMPT] for span in attempts) == [1, 2]
    told = {event["event"]: event for event in call.events}
    assert told[semconv.EVENT_HEDGE_ENDED][semconv.HEDGE_RESULT] == "failed"
    assert told.keys() >= {semconv.EVENT_HEDGE, semconv.EVENT_FALLBACK}


class TestRecovery:
    """Inventory and payments go away and come back, with everything in force."""

    def test_an_order_that_was_kept_is_finished_when_payments_is_back(self, healing: System) -> None:
        api = shopper(healing)
        healing.supervisor.kill("payments-1", ttl_s=HELD_DOWN_S)
        kept = api.check_out()
        assert (kept.status, kept.json()["status"]) == (202, "pending")
        healing.supervisor.restart("payments-1")

        def finished() -> None:
            assert api.get(kept.headers["location"]).json()["status"] == "confirmed"

        eventually(finished, within=60)

    def test_products_are_shown_as_they_were_seen_while_inventory_is_away(self, healing: System) -> None:
        api = shopper(healing)
        fresh = api.get("/api/v1/products?limit=3")
        healing.supervisor.kill("inventory-1", ttl_s=HELD_DOWN_S)
        stale = api.get("/api/v1/products?limit=3")
        assert (stale.status, stale.json()) == (200, {**fresh.json(), "degraded": True})
        assert int(stale.headers["age"]) >= 0
        assert stale.headers["cache-status"].startswith("faultline-gateway; hit; ttl=")
        assert stale.headers["etag"] != fresh.headers["etag"]
        assert api.get("/api/v1/products?limit=99").status == 503, "it was never seen"
        healing.supervisor.restart("inventory-1")

        def fresh_again() -> None:
            assert api.get("/api/v1/products?limit=3").json() == fresh.json()

        eventually(fresh_again, within=60)


class TestTheCommand:
    """`faultline policy` before two replicas of orders."""

    def test_reaches_all_replicas(self, healing: System) -> None:
        assert faultline(healing, "policy", "set", "orders/payments", "budgeted").splitlines() == [
            f"orders/payments in orders-{number}: budgeted (timeouts, retry, budget)" for number in (1, 2)
        ]
        faultline(healing, "policy", "set", "orders-2/payments", "breaker=on", "budget=off")
        listed = json.loads(faultline(healing, "policy", "list", "--json"))
        presets = {each["instance"]: each["preset"] for each in listed["edges"] if each["edge"] == "orders/payments"}
        assert presets == {"orders-1": "budgeted", "orders-2": "custom"}
        assert "differs between replicas: orders-1 budgeted" in " ".join(faultline(healing, "policy", "list").split())

    @pytest.mark.parametrize("wanted", [("retries",), ("retry=off", "bulkhead=on")])
    def test_what_was_set_is_in_force_in_a_replica_that_was_started_again(
        self, healing: System, wanted: tuple[str, ...]
    ) -> None:
        faultline(healing, "policy", "set", "orders/payments", "timeouts")
        faultline(healing, "policy", "set", "orders/payments", *wanted)
        before = {each: in_force(healing, each) for each in ("orders-1", "orders-2")}
        assert before["orders-1"] == before["orders-2"]
        killed = healing.supervisor.kill("orders-2")["pid"]
        eventually(partial(assert_started_again, healing, "orders-2", killed), within=60)
        assert {each: in_force(healing, each) for each in before} == before

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("orders/payments", "best"), "off, timeouts, retries, budgeted, breaker, full"),
            (("orders/payments", "luck=on"), "timeouts, bulkhead, breaker, retry, budget, fallback"),
            (("orders/nobody", "full"), "payments"),
            (("nobody/payments", "full"), "orders"),
            (("orders", "full"), "orders/payments"),
        ],
    )
    def test_says_what_there_is_where_it_is_asked_for_what_there_is_not(
        self, healing: System, arguments: tuple[str, ...], named: str
    ) -> None:
        assert named in faultline(healing, "policy", "set", *arguments, code=os.EX_USAGE)


def faultline(system: System, *arguments: str, code: int = 0) -> str:
    """What the command writes."""
    command = [sys.executable, "-m", "deploy.cli", *arguments, "--state", str(system.state.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr
