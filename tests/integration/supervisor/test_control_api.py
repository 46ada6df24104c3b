import http.client
import json
import stat
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.errors import ControlError, RefusedError
from deploy.supervisor import log_reader
from deploy.supervisor.client import SupervisorClient
from deploy.system import System
from tests.integration.supervisor.waiting import until


def ask(
    system: System, method: str, path: str, *, token: str | None = None, body: str | None = None
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection(urlsplit(system.supervisor.address).netloc, timeout=5)
    control = system.state.control()
    assert control is not None
    headers = {"Authorization": f"Bearer {control.token if token is None else token}"} if token != "" else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("token", ["", "wrong", "ünwise"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/processes"),
        ("GET", "/topology"),
        ("GET", "/logs"),
        ("POST", "/processes/back-1/kill"),
        ("POST", "/processes/back-1/pause"),
        ("POST", "/shutdown"),
        ("GET", "/no-such-page"),
    ],
)
def test_without_the_token_nothing_is_told_or_done(shared: System, token: str, method: str, path: str) -> None:
    before = shared.supervisor.process("back-1")
    status, headers, problem = ask(shared, method, path, token=token)
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert headers["content-type"] == "application/problem+json"
    assert problem["status"] == 401
    after = shared.supervisor.process("back-1")
    assert (after["pid"], after["state"]) == (before["pid"], "ready")
    assert shared.supervisor.health()["status"] == "ready"
    refused = [
        line.record for line in log_reader.read(shared.state, ["supervisor"]) if line.record["level"] == "WARNING"
    ]
    assert (refused[-1]["message"], refused[-1]["path"]) == ("refused: no or a wrong token", path)
    assert "wrong " not in json.dumps(refused[-1]).replace("a wrong token", "")


def test_the_client_says_that_its_token_is_wrong(shared: System) -> None:
    with pytest.raises(RefusedError, match="the Bearer token is missing or wrong") as caught:
        SupervisorClient(shared.supervisor.address, "wrong").processes()
    assert caught.value.status == 401


def test_health_needs_no_token_and_tells_no_secret(shared: System) -> None:
    status, _, document = ask(shared, "GET", "/healthz", token="")
    assert (status, document) == (200, {"status": "ready", "pid": shared.supervisor_pid})


@pytest.mark.parametrize(
    "body", ['{"ttl_s": -1}', '{"ttl_s": 601}', '{"ttl_s": "soon"}', '{"ttl_s": null}', '{"ttl_s": NaN}']
)
@pytest.mark.parametrize("verb", ["kill", "pause"])
def test_a_ttl_that_cannot_be_is_refused_before_anything_is_touched(shared: System, verb: str, body: str) -> None:
    before = shared.supervisor.process("back-1")["pid"]
    status, _, problem = ask(shared, "POST", f"/processes/back-1/{verb}", body=body)
    assert status == 422
    assert problem["detail"].startswith("ttl_s: ")
    assert shared.supervisor.process("back-1")["pid"] == before


@pytest.mark.parametrize("body", ["[]", "no json", '{"ttl": 3}'])
def test_a_body_of_another_form_is_refused(shared: System, body: str) -> None:
    status, _, problem = ask(shared, "POST", "/processes/back-1/pause", body=body)
    assert (status, problem["detail"]) == (422, 'the body is not {"ttl_s": SECONDS}')


def test_an_unknown_process_is_refused_with_the_valid_choices(shared: System) -> None:
    with pytest.raises(ControlError, match="there is no process 'back'; processes: back-1, front-1") as caught:
        shared.supervisor.kill("back")
    assert caught.value.status == 404


def test_a_wrong_method_says_which_is_right(shared: System) -> None:
    status, headers, _ = ask(shared, "GET", "/processes/back-1/kill")
    assert (status, headers["allow"]) == (405, "POST")


def test_logs_by_trace_by_process_and_by_count(shared: System) -> None:
    until(lambda: shared.supervisor.logs("front-1"))
    of_trace = shared.supervisor.logs(trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    assert {line["instance"] for line in of_trace} == {"front-1"}
    assert {line["instance"] for line in shared.supervisor.logs("back-1")} == {"back-1"}
    assert len(shared.supervisor.logs(tail=1)) == 1
    assert ask(shared, "GET", "/logs?tail=0")[0] == 422
    assert ask(shared, "GET", "/logs?instance=../control")[0] == 404


def test_processes_are_described(shared: System) -> None:
    found = shared.supervisor.process("front-1")
    assert set(found["ports"]) == {"ADMIN_PORT", "HTTP_PORT", "CONTROL_PORT"}
    assert found["memory_bytes"] > 2**20
    assert found["memory_kind"] in {"pss", "rss"}
    assert found["uptime_s"] > found["ready_after_s"] > 0
    assert shared.supervisor.overview()["supervisor"]["pid"] == shared.supervisor_pid


def test_the_topology_has_every_address_and_no_secret(shared: System) -> None:
    front = {each["instance"]: each for each in shared.topology["processes"]}["front-1"]
    assert shared.gateway_url == shared.url("front-1", "HTTP_PORT")
    assert shared.topology["control_url"] == shared.supervisor.address
    assert shared.topology["edges"] == [{"caller": "front", "callee": "back", "kind": "rest"}]
    assert front["service"] == "front"
    secrets = [shared.key("demo").key, json.loads(shared.state.control_file.read_text())["token"]]
    assert not [each for each in secrets if each in json.dumps(dict(shared.topology))]


def test_secrets_are_readable_by_their_owner_alone_and_never_logged(shared: System) -> None:
    for file in (shared.state.control_file, shared.state.client_keys_file, shared.state.api_keys_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(shared.state.path.stat().st_mode) == 0o700
    token = json.loads(shared.state.control_file.read_text())["token"]
    logged = "".join(file.read_text() for file in shared.state.logs.iterdir())
    assert token not in logged
    assert "flk_" not in logged
    assert "flk_" not in shared.state.api_keys_file.read_text()
