"""The policies that a run chose are put back, also where a process is away while the run ends."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chaos.control.target import Instance
from chaos.measure.site import Site
from chaos.toolkit.baseline import BaselineError
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
        if preset := wanted.get("preset"):
            wanted = {"retry": preset == "full", "breaker": preset == "full"}
        self.state.update(wanted)
        self._answer()

    def _answer(self) -> None:
        policies = {name: {"in_force": on} for name, on in self.state.items()}
        on = self.state.values()
        preset = "full" if all(on) else "custom" if any(on) else "off"
        body = json.dumps({EDGE: {"kind": "grpc", "preset": preset, "policies": policies}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serving(port: int, state: dict[str, bool]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), type("One", (Caller,), {"state": state}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def ended(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()


MINE = {"retry": True, "breaker": False}


def site(folder: Path, port: int, token: str = "token") -> Site:
    """A system whose one caller is at this port."""
    orders = Instance("orders-1", "orders", "127.0.0.1", {"CONTROL_PORT": port})
    return replace(SITE, state=folder, target=replace(SITE.target, instances=[orders], token=token))


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[tuple[Site, dict[str, bool]]]:
    """The site of a caller, and its policies."""
    port, state = free_port(), {**MINE}
    server = serving(port, state)
    yield site(tmp_path, port), state
    ended(server)


def notes(found: Site) -> list[Path]:
    return list(found.state.glob("chaos/*"))


def test_what_was_there_comes_back_and_nothing_is_left(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    policies = Policies(found)
    policies.choose("off")
    policies.choose("full")
    assert state == {"retry": True, "breaker": True}
    assert len(notes(found)) == 1
    policies.restore()
    assert (state, notes(found)) == (MINE, [])


def test_what_a_killed_run_left_is_not_taken_for_what_was_there(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    Policies(found).choose("off")  # and never put back
    for preset in ("off", "full"):
        after = Policies(found)
        after.choose(preset)
        after.restore()
        assert (state, notes(found)) == (MINE, [])
        Policies(found).choose("off")


def test_what_was_switched_since_a_run_was_killed_is_what_was_there(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    Policies(found).choose("off")
    state.update(retry=False, breaker=True)
    after = Policies(found)
    after.choose("full")
    after.restore()
    assert (state, notes(found)) == ({"retry": False, "breaker": True}, [])


def test_what_another_system_had_counts_for_nothing(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    Policies(found).choose("off")
    anew = Policies(replace(found, target=replace(found.target, token="another")))
    anew.choose("full")
    anew.restore()
    assert (state, notes(found)) == ({"retry": False, "breaker": False}, [])


def test_a_note_that_cannot_be_read_is_none(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    Policies(found).choose("off")
    notes(found)[0].write_text("{")
    after = Policies(found)
    after.choose("full")
    after.restore()
    assert (state, notes(found)) == ({"retry": False, "breaker": False}, [])


def test_nothing_is_chosen_that_could_not_be_put_back(caller: tuple[Site, dict[str, bool]]) -> None:
    found, state = caller
    (found.state / "chaos").write_text("no folder")
    with pytest.raises(BaselineError, match=r"policies-before\.json: "):
        Policies(found).choose("off")
    assert state == MINE


def test_a_caller_that_is_on_its_way_back_is_awaited(tmp_path: Path) -> None:
    port, state = free_port(), {**MINE}
    policies = Policies(site(tmp_path, port))
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
