"""The control listener of a real process."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from services.chassis.faults.api import MAX_BODY_BYTES
from tests.integration.chassis.processes import Toy, eventually, toy
from tests.integration.faults.control_client import ControlClient

LATENCY: dict[str, Any] = {"kind": "latency", "parameters": {"ms": 5}, "ttl_s": 60}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    with toy(tmp_path_factory.mktemp("toy"), FAULT_INJECTION_ENABLED="true") as process:
        yield process


@pytest.fixture
async def control(running: Toy) -> AsyncIterator[ControlClient]:
    await running.ready()
    client = ControlClient(running.url("CONTROL_PORT"))
    yield client
    await client.ask("DELETE", "/faults")


async def test_a_fault_is_set_shown_and_taken_back(control: ControlClient) -> None:
    status, made = await control.ask("POST", "/faults", json=LATENCY)
    assert status == 201
    assert made.items() >= {"service": "toy", "protocol": "http", "kind": "latency", "touched": 0}.items()
    assert 0 < made["remaining_s"] <= 60
    _, shown = await control.ask("GET", "/faults")
    assert [each["id"] for each in shown["faults"]] == [made["id"]]
    assert (await control.ask("DELETE", f"/faults/{made['id']}")) == (204, None)
    assert await control.in_force() == []


async def test_an_id_that_is_given_is_kept(control: ControlClient) -> None:
    assert await control.add("latency", id="f-mine", parameters={"ms": 1}) == "f-mine"
    status, document = await control.ask("POST", "/faults", json={**LATENCY, "id": "f-mine"})
    assert (status, document["errors"][0]["field"]) == (422, "id")
    assert await control.in_force() == ["f-mine"]


async def test_touched_requests_are_counted(control: ControlClient, running: Toy) -> None:
    await control.add("latency", parameters={"ms": 1}, operation="GET /begun")
    begun = ControlClient(running.url("HTTP_PORT"))
    assert (await begun.ask("GET", "/begun"))[0] == 200
    _, shown = await control.ask("GET", "/faults")
    assert shown["faults"][0]["touched"] == 1


async def test_all_are_taken_back_at_once(control: ControlClient) -> None:
    for _ in range(3):
        await control.add("latency", parameters={"ms": 1})
    assert await control.ask("DELETE", "/faults") == (200, {"removed": 3})
    assert await control.ask("DELETE", "/faults") == (200, {"removed": 0})


async def test_a_fault_goes_by_itself_at_its_time(control: ControlClient) -> None:
    await control.add("latency", ttl_s=0.3, parameters={"ms": 1})

    async def gone() -> None:
        assert await control.in_force() == []

    await eventually(gone)


async def test_one_that_is_not_there_is_not_found(control: ControlClient) -> None:
    status, document = await control.ask("DELETE", "/faults/f-none")
    assert (status, document["detail"]) == (404, "there is no fault 'f-none': it is over, or never was")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "slow"}, "there is no 'slow'; there are latency, "),
        ({"ttl_s": -1}, "must be from 0.001 to 600 s, not -1"),
        ({"ttl_s": None}, "must be given"),
        ({"probability": 2}, "must be from 0 to 1, not 2"),
        ({"operation": "GET /nowhere"}, "there is no 'GET /nowhere'; there are "),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    control: ControlClient, changes: dict[str, Any], said: str
) -> None:
    status, document = await control.ask("POST", "/faults", json={**LATENCY, **changes})
    (field,) = changes
    assert status == 422
    assert document["title"] == "Unprocessable Entity"
    (error,) = document["errors"]
    assert error["field"] == field
    assert error["message"].startswith(said)
    assert (await control.ask("POST", "/faults/check", json={**LATENCY, **changes})) == (422, document)
    assert await control.in_force() == []


async def test_what_could_be_is_said_to_be_possible_and_not_put_in_force(control: ControlClient) -> None:
    assert await control.ask("POST", "/faults/check", json=LATENCY) == (204, None)
    assert await control.in_force() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}', b"\xff"])
async def test_what_is_no_document_is_refused(control: ControlClient, body: bytes) -> None:
    status, document = await control.ask("POST", "/faults", data=body)
    assert (status, document["errors"][0]["field"]) == (422, "body")
    assert await control.in_force() == []


@pytest.mark.parametrize("token", ["", "a-token-for-others"])
async def test_without_the_token_nothing_is_told_or_changed_and_it_is_logged(
    control: ControlClient, running: Toy, token: str
) -> None:
    kept = await control.add("latency", parameters={"ms": 1})
    before = len(running.log_lines)
    stranger = ControlClient(running.url("CONTROL_PORT"), token)
    assert (await stranger.ask("POST", "/faults", json=LATENCY))[0] == 401
    assert (await stranger.ask("POST", "/faults/check", json=LATENCY))[0] == 401
    assert (await stranger.ask("GET", "/faults"))[0] == 401
    assert (await stranger.ask("DELETE", f"/faults/{kept}"))[0] == 401
    assert (await stranger.ask("DELETE", "/faults"))[0] == 401
    assert await control.in_force() == [kept]
    assert [line["level"] for line in running.log_lines[before:]] == ["WARNING"] * 5


async def test_what_was_done_is_logged_with_the_faults_id(control: ControlClient, running: Toy) -> None:
    fault_id = await control.add("latency", parameters={"ms": 1})
    await control.ask("DELETE", f"/faults/{fault_id}")
    told = [line["message"] for line in running.log_lines if line.get("faultline.fault.id") == fault_id]
    assert told == ["fault set", "fault taken back"]


async def test_where_faults_are_off_all_of_it_is_forbidden_and_says_by_which_setting(tmp_path: Any) -> None:
    with toy(tmp_path) as process:
        await process.ready()
        client = ControlClient(process.url("CONTROL_PORT"))
        for method, path in (("POST", ""), ("POST", "/check"), ("GET", ""), ("DELETE", ""), ("DELETE", "/f-1")):
            status, document = await client.ask(method, f"/faults{path}", json=LATENCY if method == "POST" else None)
            assert status == 403
            assert "FAULT_INJECTION_ENABLED" in document["detail"]
        assert (await ControlClient(process.url("CONTROL_PORT"), "").ask("GET", "/faults"))[0] == 401
