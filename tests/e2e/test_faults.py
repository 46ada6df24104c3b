"""Faults set in a running system, by hand and over the control package: seen in traces, metrics and logs, and gone again."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import pytest

from chaos.control import AwayError, Fault, FaultControl, HttpFaultControl, HttpProcessControl, PlacedFault
from chaos.control import target as targets
from deploy.cli import main
from deploy.system import System
from observability import semconv
from tests.e2e.http_api import Answer, Api
from tests.e2e.metrics import samples
from tests.e2e.running import admin_url, log_lines, shopper
from tests.e2e.traces import Span, Traces
from tests.waiting import eventually

EXPERIMENT = "e2e"
LATENCY_MS = 100
LONG_S = 500.0
HEALED_WITHIN_S = 60.0
BAGGAGE = ("faultline.who", "me")

_SETTER = """
import sys, time
from chaos.control import Fault, HttpFaultControl, target
placed = HttpFaultControl(target.read(sys.argv[1])).add(Fault("payments", "error", ttl_s=float(sys.argv[2])))
print(placed[0].fault_id, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def faults(own_system: System) -> Iterator[FaultControl]:
    target = targets.read(own_system.state.path)
    yield HttpFaultControl(target)
    heal(target)
    confirmed(shopper(own_system))


def heal(target: targets.Target) -> None:
    """Nobody is held down any more, and nobody has a fault."""

    def check() -> None:
        HttpProcessControl(target).heal()
        try:
            HttpFaultControl(target).clear()
        except AwayError as exc:
            raise AssertionError(str(exc)) from exc

    eventually(check, HEALED_WITHIN_S)


def confirmed(api: Api, **headers: str) -> Answer:
    """A checkout that went well; on a busy machine it may take several."""

    def check() -> Answer:
        answer = api.check_out(**headers)
        assert answer.status == 201, answer.body
        return answer

    return eventually(check, HEALED_WITHIN_S)


def hindered(api: Api, **headers: str) -> Answer:
    """A checkout that did not go well at once: kept for later, or failed."""

    def check() -> Answer:
        answer = api.check_out(**headers)
        assert answer.status in {202, 503, 504}, answer.body
        return answer

    return eventually(check, HEALED_WITHIN_S)


def touched(control: FaultControl, fault: PlacedFault) -> int:
    return control.in_force().touched(fault.fault_id)


def served_by_payments(system: System, answer: Answer) -> list[Span]:
    trace = Traces(system.query_url).whole(answer.trace_id, "gateway", "orders", "payments")
    return [span for span in trace.spans if (span.service, span.kind) == ("payments", "server")]


def test_a_latency_slows_checkouts_and_trace_metric_and_log_name_it(own_system: System, faults: FaultControl) -> None:
    api = shopper(own_system)
    confirmed(api)
    asked = Fault("payments", "latency", LONG_S, {"ms": LATENCY_MS}, experiment=EXPERIMENT)
    (fault,) = faults.add(asked)
    name = semconv.FAULTS_TOUCHED.prometheus_name
    labels = {"faultline_experiment": EXPERIMENT, "faultline_fault_kind": "latency"}
    payments = admin_url(own_system, "payments")
    assert len(list(samples(payments, name, **labels))) == 1, "the count exists before anybody is touched"

    began = time.monotonic()
    answer = confirmed(api)
    assert time.monotonic() - began >= 2 * LATENCY_MS / 1000  # authorize and capture
    spans = served_by_payments(own_system, answer)
    assert {span.tags[semconv.FAULT_ID] for span in spans} == {fault.fault_id}
    assert all(semconv.EVENT_FAULT_INJECTED in {each.get("event") for each in span.events} for span in spans)
    (counted,) = samples(payments, name, **labels)
    assert 2 <= counted.value <= touched(faults, fault)
    injected = [line for line in log_lines(own_system, "payments") if line.get(semconv.FAULT_ID) == fault.fault_id]
    assert answer.trace_id in {line[semconv.TRACE_ID] for line in injected}


def test_a_trace_is_found_by_its_fault(own_system: System, faults: FaultControl) -> None:
    (fault,) = faults.add(Fault("orders", "latency", LONG_S, {"ms": 1}, operation="POST /v1/orders"))
    answer = confirmed(shopper(own_system))
    tags = quote(json.dumps({semconv.FAULT_ID: fault.fault_id}))

    def check() -> None:
        found = Api(own_system.query_url).get(f"/api/traces?service=orders&tags={tags}&limit=20&lookback=1h").json()
        assert answer.trace_id in {trace["traceID"] for trace in found["data"]}

    eventually(check)


def test_a_fault_is_gone_at_its_time_though_its_setter_was_killed(own_system: System, faults: FaultControl) -> None:
    command = [sys.executable, "-c", _SETTER, str(own_system.state.path), "6"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as setter:
        assert setter.stdout
        fault_id = setter.stdout.readline().strip()
        setter.send_signal(signal.SIGKILL)
    assert setter.returncode == -signal.SIGKILL
    assert fault_id

    def check() -> None:
        assert faults.in_force().faults == []

    eventually(check, HEALED_WITHIN_S)
    confirmed(shopper(own_system))


def test_a_blocked_event_loop_is_healed(own_system: System, faults: FaultControl) -> None:
    api = shopper(own_system)
    (fault,) = faults.add(Fault("payments", "event-loop-block", ttl_s=60))
    hindered(api)
    assert faults.remove(fault.fault_id) == 1
    confirmed(api)


def test_a_failing_database_fails_checkouts(own_system: System, faults: FaultControl) -> None:
    api = shopper(own_system)
    (fault,) = faults.add(Fault("payments-db", "error", LONG_S))
    hindered(api)
    assert touched(faults, fault) >= 1


def test_baggage_scopes_a_fault_to_callers_who_may_inject(own_system: System, faults: FaultControl) -> None:
    tester = Api(own_system.gateway_url, own_system.key("chaos").key)
    mine = "=".join(BAGGAGE)
    (fault,) = faults.add(Fault("payments", "error", LONG_S, baggage=BAGGAGE))
    confirmed(shopper(own_system), baggage=mine)
    confirmed(tester)
    confirmed(tester, baggage="faultline.who=you")
    assert touched(faults, fault) == 0
    hindered(tester, baggage=f"other=1, {mine}")
    assert touched(faults, fault) >= 1


@pytest.mark.parametrize(
    ("client", "baggage", "counted"),
    [
        ("demo", "faultline.who=me", 1),
        ("demo", "anything=else", 1),
        ("chaos", "faultline.who=me", 0),
        ("chaos", "anything=else", 1),
        ("chaos", "faultline.who=me,anything=else", 1),
    ],
)
def test_baggage_from_outside_is_taken_and_counted(own_system: System, client: str, baggage: str, counted: int) -> None:
    gateway, name = admin_url(own_system, "gateway"), semconv.BAGGAGE_STRIPPED.prometheus_name
    (before,) = samples(gateway, name)
    Api(own_system.gateway_url, own_system.key(client).key).get("/api/v1/products", baggage=baggage)
    (after,) = samples(gateway, name)
    assert after.value - before.value == counted


class TestCommand:
    def run(self, capsys: pytest.CaptureFixture[str], system: System, *arguments: str) -> tuple[object, str]:
        """Its exit code, and what it said."""
        with pytest.raises(SystemExit) as caught:
            main(["fault", *arguments, "--state", str(system.state.path)])
        shown = capsys.readouterr()
        return caught.value.code, shown.out + shown.err

    @pytest.mark.usefixtures("faults")
    def test_sets_shows_and_takes_back(self, own_system: System, capsys: pytest.CaptureFixture[str]) -> None:
        run = partial(self.run, capsys, own_system)
        code, said = run("add", "payments", "--kind", "latency", "--ms", "5", "--ttl", "60s", "--route", "Authorize")
        assert code == 0
        fault_id, _, told = said.partition(": ")
        assert told.startswith("latency 5 ms on payments Authorize, everyone, in payments-1\nGone in 60 s;")
        assert fault_id in run("list")[1]
        assert run("clear", fault_id) == (0, "Taken back from 1 process.\n")
        assert run("list") == (0, "No fault is in force.\n")
        assert run("clear", fault_id) == (66, "faultline: there is no fault\n")

    @pytest.mark.usefixtures("faults")
    def test_speaks_json(self, own_system: System, capsys: pytest.CaptureFixture[str]) -> None:
        run = partial(self.run, capsys, own_system)
        added = json.loads(run("add", "gateway", "--kind", "error", "--status", "500", "--ttl", "60s", "--json")[1])
        listed = json.loads(run("list", "--json")[1])
        assert [each["fault_id"] for each in listed["faults"]] == [each["fault_id"] for each in added["faults"]]
        assert json.loads(run("clear", "--all", "--json")[1]) == {"removed": 1, "healed": []}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["users", "--kind", "error"], "there is no 'users'; there are payments, inventory, orders, gateway,"),
            (["payments", "--kind", "slow-body", "--ms", "1"], "payments (process/grpc) has no slow-body; it has latency,"),
            (["payments", "--kind", "latency"], "parameters.ms: must be given"),
            (["payments", "--kind", "error", "--route", "Refuse"], "operation: there is no 'Refuse'; there are Authorize, Capture,"),
            (["orders", "--kind", "error", "--route", "GET /"], "operation: there is no 'GET /'; there are "),
            (["gateway", "--kind", "error", "--status", "200"], "parameters.status: there is no 200; there are 400, 401,"),
            (["payments-db", "--kind", "kill"], "there is no 'payments-db'; there are faultline-backend, payments,"),
        ],
    )  # fmt: skip
    def test_says_what_cannot_be(
        self, own_system: System, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
    ) -> None:
        code, words = self.run(capsys, own_system, "add", *arguments, "--ttl", "60s")
        assert code == 64
        assert said in words
        assert words.count("\n") == 1

    @pytest.mark.usefixtures("faults")
    def test_kills_and_heals_whole_processes(self, own_system: System, capsys: pytest.CaptureFixture[str]) -> None:
        run, api = partial(self.run, capsys, own_system), shopper(own_system)
        code, said = run("add", "payments", "--kind", "kill", "--ttl", f"{LONG_S:g}s")
        assert code == 0
        assert said.endswith(f"killed, starts again after {LONG_S:g} s\n")
        hindered(api)
        assert "payments-1 waiting: ended with SIGKILL" in run("list")[1]
        assert run("clear", "--all") == (0, "Taken back from 0 processes; payments-1 healed.\n")
        confirmed(api)

    @pytest.mark.usefixtures("faults")
    def test_pauses_a_process_until_its_time(self, own_system: System, capsys: pytest.CaptureFixture[str]) -> None:
        api = shopper(own_system)
        code, said = self.run(capsys, own_system, "add", "payments-1", "--kind", "pause", "--ttl", "10s")
        assert (code, said.endswith("paused, goes on after 10 s\n")) == (0, True)
        hindered(api)
        confirmed(api)


def test_a_restarted_process_has_forgotten_its_faults(own_system: System, faults: FaultControl) -> None:
    faults.add(Fault("payments", "error", LONG_S))
    own_system.supervisor.kill("payments-1")

    def check() -> None:
        found = faults.in_force()
        assert (list(found.faults), list(found.silent)) == ([], [])

    eventually(check, HEALED_WITHIN_S)
