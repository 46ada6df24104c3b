"""`faultline policy` before control listeners that a test has in its hands."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chaos.control.errors import AwayError, RefusedError, UnknownTargetError
from chaos.control.policies import HttpPolicyControl
from chaos.control.policy import EdgePolicies
from chaos.control.target import Instance, Target
from deploy.cli.policy import _switches
from deploy.cli.policy_view import differences
from deploy.errors import UsageError

TOKEN = "0123456789abcdef"
EDGE = {
    "kind": "grpc",
    "preset": "full",
    "policies": {"timeouts": {"in_force": True}, "breaker": {"in_force": False}},
}


class Replica:
    """A control listener that answers as told and remembers what it was asked."""

    def __init__(self, status: int = 200, document: Mapping[str, Any] | None = None) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.port = 0
        self._status, self._document = status, document or {"orders/payments": EDGE}

    @contextmanager
    def listening(self) -> Iterator[None]:
        replica = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                assert self.headers["Authorization"] == f"Bearer {TOKEN}"
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                replica.asked.append((self.command, self.path, json.loads(body) if body else None))
                sent = json.dumps(replica._document).encode()
                self.send_response(replica._status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_PUT = _answer  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def instance(self, number: int) -> Instance:
        return Instance(f"orders-{number}", "orders", "127.0.0.1", {"CONTROL_PORT": self.port})


def control(*replicas: Replica) -> HttpPolicyControl:
    instances = [each.instance(number) for number, each in enumerate(replicas, 1)]
    return HttpPolicyControl(Target("http://127.0.0.1:1", TOKEN, instances))


def test_a_preset_reaches_every_replica_of_the_caller() -> None:
    first, second = Replica(), Replica()
    with first.listening(), second.listening():
        done = control(first, second).use("orders", "payments", "budgeted")
    for replica in (first, second):
        assert replica.asked == [("PUT", "/policies/payments", {"preset": "budgeted"})]
    assert [(each.instance, each.edge, each.preset, each.in_force) for each in done] == [
        ("orders-1", "orders/payments", "full", ["timeouts"]),
        ("orders-2", "orders/payments", "full", ["timeouts"]),
    ]


def test_one_replica_can_be_told_alone() -> None:
    first, second = Replica(), Replica()
    with first.listening(), second.listening():
        control(first, second).turn("orders-2", "payments", {"breaker": False})
    assert (first.asked, second.asked) == ([], [("PUT", "/policies/payments", {"breaker": False})])


def test_who_is_away_is_named_and_the_others_are_told_all_the_same() -> None:
    away, there = Replica(), Replica()
    with away.listening():
        pass
    with there.listening():
        with pytest.raises(AwayError, match="orders-1"):
            control(away, there).use("orders", "payments", "off")
        found = control(away, there).show()
    assert [each[0] for each in there.asked] == ["PUT", "GET"]
    assert ([each.instance for each in found.edges], found.silent) == (["orders-2"], ["orders-1"])


def test_a_refusal_is_told_as_it_is_put() -> None:
    replica = Replica(422, {"detail": "there is no preset 'best'; presets: off, full"})
    with (
        replica.listening(),
        pytest.raises(RefusedError, match="orders-1: there is no preset 'best'; presets: off, full"),
    ):
        control(replica).use("orders", "payments", "best")


def test_a_caller_that_is_not_there_is_refused_with_those_that_are() -> None:
    replica = Replica()
    with replica.listening(), pytest.raises(UnknownTargetError, match="there is no 'ordres'; there are orders"):
        control(replica).use("ordres", "payments", "full")
    assert replica.asked == []


@pytest.mark.parametrize(
    ("words", "switches"),
    [(("budgeted",), {}), (("breaker=off",), {"breaker": False}), (("a=on", "b=off"), {"a": True, "b": False})],
)
def test_a_preset_or_switches(words: tuple[str, ...], switches: dict[str, bool]) -> None:
    assert _switches(words) == switches


def test_replicas_with_other_policies_than_their_like_are_named() -> None:
    def edge(instance: str, name: str, preset: str, **policies: bool) -> EdgePolicies:
        return EdgePolicies(instance, name, "grpc", preset, {each: {"in_force": on} for each, on in policies.items()})

    found = [
        edge("orders-1", "orders/payments", "off", retry=False),
        edge("orders-1", "orders/inventory", "full", retry=True),
        edge("orders-2", "orders/payments", "full", retry=True),
        edge("orders-2", "orders/inventory", "full", retry=True),
    ]
    assert differences(found) == [
        "orders/payments differs between replicas: orders-1 off (nothing); orders-2 full (retry)"
    ]
    assert differences(found[1:]) == []


@pytest.mark.parametrize("words", [("breaker=maybe",), ("off", "full"), ("full", "breaker=on"), ("breaker=",)])
def test_not_both_and_nothing_else(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="give one preset, or policies such as"):
        _switches(words)
