"""The policies that a run chose are put back, also where a process is away while the run ends."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chaos.control.target import Instance
from chaos.toolkit.policies import PRESETS, Policies
from services.chassis.resilience import policy
from tests.integration.chassis.ports import free_port
from tests.unit.experiments.making import SITE

EDGE = "orders/payments"


class Caller(BaseHTTPRequestHandler):
    """The policies of one caller, as its control listener tells them."""

    state: dict[str, bool]

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "preset" in wanted:
            wanted = {"retry": False, "breaker": False}
        self.state.update(wanted)
        self._answer()

    def _answer(self) -> None:
        policies = {name: {"in_force": on} for name, on in self.state.items()}
        body = json.dumps({EDGE: {"kind": "grpc", "preset": "", "policies": policies}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serving(port: int, state: dict[str, bool]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), type("One", (Caller,), {"state": state}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ended(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()


def test_a_caller_that_is_on_its_way_back_is_awaited() -> None:
    port, state = free_port(), {"retry": True, "breaker": False}
    orders = Instance("orders-1", "orders", "127.0.0.1", {"CONTROL_PORT": port})
    policies = Policies(replace(SITE, target=replace(SITE.target, instances=[orders])))
    first = serving(port, state)
    policies.choose("off")
    ended(first)
    assert state == {"retry": False, "breaker": False}
    restoring = threading.Thread(target=policies.restore)
    restoring.start()
    again = serving(port, state)
    restoring.join()
    assert state == {"retry": True, "breaker": False}
    ended(again)


def test_the_presets_are_those_that_services_have() -> None:
    assert set(PRESETS) == set(policy.PRESETS)
