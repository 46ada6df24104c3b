from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from services.contracts.errors import CATALOGUE
from tests.integration.chassis.http_toy import MAX_BODY_BYTES, SECRET, Answer, Client, Parts, create_app, served
from tests.unit.chassis.recording import Recording, trace_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
TIMEOUT = "X-Request-Timeout-Ms"


def told_to_take(milliseconds: str) -> dict[str, str]:
    return {TIMEOUT: milliseconds}


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length is not declared."""
    for _ in range(size // 1000 + 1):
        yield b" " * 1000


async def problem_of(answer: Answer, recording: Recording, slug: str) -> dict[str, Any]:
    """The problem document, checked for what all have in common."""
    body = await answer.json()
    assert (answer.status, body["type"]) == (CATALOGUE[slug].http_status, f"/problems/{slug}"), body
    assert body["status"] == answer.status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["trace_id"] == answer.trace_id
    assert trace_of(recording.spans[-1]) == answer.trace_id
    assert isinstance(body, dict)
    return body


async def post(client: Client, data: bytes, headers: Mapping[str, str] = JSON) -> Answer:
    return await client.ask("POST", "/v1/items", data=data, headers=headers)


@pytest.mark.parametrize(
    "data",
    [b"{", b"\xff\xfe", b'{"name": "x"', b"nul", b"[" * 40_000, b'{"name": ' + b"1" * 5000 + b"}", b'"\\ud83'],
    ids=lambda data: repr(data[:12]),
)
async def test_malformed_json(shared_http: Client, shared_recording: Recording, data: bytes) -> None:
    answer = await post(shared_http, data)
    await problem_of(answer, shared_recording, "malformed-request")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"name": "a", "lines": [], "name": "a"}', "name"),
        (b'{"name": "a", "lines": [{"quantity": 1}, {"quantity": 1, "quantity": 100}]}', "quantity"),
        (b'{"name": "a", "lines": [], "\\u006eame": "b"}', "name"),
        (b'{"a": {"b": 1, "c": 2, "c": 3, "c": 4}}', "c"),
        (b'{"%s": 1, "%s": 2}' % (b"n" * 99, b"n" * 99), "n" * 64),
    ],
    ids=["equal", "inside", "written otherwise", "thrice", "long"],
)
async def test_a_member_that_stands_twice(
    shared_http: Client, shared_recording: Recording, data: bytes, field: str
) -> None:
    problem = await problem_of(await post(shared_http, data), shared_recording, "malformed-request")
    assert [each["field"] for each in problem["errors"]] == [field]


async def test_the_same_member_in_different_objects(shared_http: Client) -> None:
    assert (await post(shared_http, b'{"name": "a", "lines": [{"quantity": 1}, {"quantity": 1}]}')).status == 201


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"", ["body"]),
        (b"[]", ["body"]),
        (b"null", ["body"]),
        (b"{}", ["name", "lines"]),
        (b'{"name": 5, "lines": [{"quantity": 1}, {"quantity": "x"}]}', ["name", "lines[1].quantity"]),
        (b'{"name": "x", "lines": [{"quantity": 0}]}', ["lines[0].quantity"]),
        (b'{"name": "x", "lines": [{"quantity": 1e999}]}', ["lines[0].quantity"]),
        (b'{"name": "\\ud800", "lines": []}', ["name"]),
        (b'{"name": "x", "lines": [], "a\\ud800b": 1}', ["body"]),
    ],
)
async def test_wrong_values_are_named(
    shared_http: Client, shared_recording: Recording, data: bytes, fields: list[str]
) -> None:
    problem = await problem_of(await post(shared_http, data), shared_recording, "validation-failed")
    assert [each["field"] for each in problem["errors"]] == fields
    assert all(each["message"] for each in problem["errors"])


async def test_of_very_many_mistakes_not_all_are_told(shared_http: Client, shared_recording: Recording) -> None:
    data = b'{"name": "x", "lines": [' + b",".join([b"1"] * 20_000) + b"]}"
    problem = await problem_of(await post(shared_http, data), shared_recording, "validation-failed")
    assert len(problem["errors"]) == 100


async def test_a_body_of_another_media_type_is_not_read_as_json(
    shared_http: Client, shared_recording: Recording
) -> None:
    answer = await post(shared_http, b'{"name": "x", "lines": []}', {"Content-Type": "text/plain"})
    await problem_of(answer, shared_recording, "validation-failed")


async def test_a_wrong_query(shared_http: Client, shared_recording: Recording) -> None:
    problem = await problem_of(await shared_http.get("/v1/items?limit=x"), shared_recording, "validation-failed")
    assert [each["field"] for each in problem["errors"]] == ["limit"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/items/a/b", "/%00", "/%ff%fe", "//v1/items"])
async def test_nothing_is_there(shared_http: Client, shared_recording: Recording, path: str) -> None:
    await problem_of(await shared_http.get(path), shared_recording, "not-found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(
    shared_http: Client, shared_recording: Recording, method: str
) -> None:
    answer = await shared_http.ask(method, "/v1/items")
    await problem_of(answer, shared_recording, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_a_body_that_says_it_is_too_large(shared_http: Client, shared_recording: Recording) -> None:
    answer = await post(shared_http, b" " * (MAX_BODY_BYTES + 1))
    problem = await problem_of(answer, shared_recording, "content-too-large")
    assert str(MAX_BODY_BYTES) in problem["detail"]


async def test_a_body_that_turns_out_too_large(shared_http: Client, shared_recording: Recording) -> None:
    answer = await shared_http.ask("POST", "/v1/items", data=in_pieces(MAX_BODY_BYTES), headers=JSON)
    await problem_of(answer, shared_recording, "content-too-large")


async def test_a_body_that_is_just_not_too_large(shared_http: Client) -> None:
    body = b'{"name": "x", "lines": []}'
    assert (await post(shared_http, body + b" " * (MAX_BODY_BYTES - len(body)))).status == 201


async def test_the_callers_own_limit_is_spent(shared_http: Client, shared_recording: Recording) -> None:
    answer = await shared_http.get("/v1/work", **told_to_take("30"))
    problem = await problem_of(answer, shared_recording, "request-timeout")
    assert "30 ms" in problem["detail"]


async def test_the_systems_limit_is_spent(recording: Recording) -> None:
    async with served(create_app(recording, Parts(), cap=0.05)) as client:
        for headers in ({}, told_to_take("60000")):
            answer = await client.get("/v1/work", **headers)
            problem = await problem_of(answer, recording, "deadline-exceeded")
            assert "50 ms" in problem["detail"]
            assert answer.headers["retry-after"] == "1"


async def test_behind_the_gateway_every_limit_is_the_systems(recording: Recording) -> None:
    async with served(create_app(recording, Parts(), cap=None)) as client:
        for milliseconds in ("30", "0"):
            answer = await client.get("/v1/work", **told_to_take(milliseconds))
            await problem_of(answer, recording, "deadline-exceeded")


@pytest.mark.parametrize("milliseconds", ["0", "-5"])
async def test_a_limit_that_is_spent_on_arrival(
    shared_http: Client, shared_recording: Recording, milliseconds: str
) -> None:
    answer = await shared_http.get("/v1/items", **told_to_take(milliseconds))
    await problem_of(answer, shared_recording, "request-timeout")


@pytest.mark.parametrize("milliseconds", ["soon", "1.5", "", "1_0", "9" * 400, "9" * 5000, "\u0665"])
async def test_a_limit_that_is_no_number(shared_http: Client, shared_recording: Recording, milliseconds: str) -> None:
    answer = await shared_http.get("/v1/items", **told_to_take(milliseconds))
    problem = await problem_of(answer, shared_recording, "malformed-request")
    assert TIMEOUT in problem["detail"]


async def test_a_defect_shows_nothing_of_itself(shared_http: Client, shared_recording: Recording) -> None:
    answer = await shared_http.get("/v1/defect")
    await problem_of(answer, shared_recording, "internal")
    for inside in (SECRET, "ZeroDivisionError", "Traceback", ".py"):
        assert inside not in answer.body.decode()
    line = shared_recording.logged("unexpected error while serving")
    assert line["trace_id"] == answer.trace_id
    assert "ZeroDivisionError" in line["exception.stacktrace"]


async def test_a_refusal_says_all_it_has_to(shared_http: Client, shared_recording: Recording) -> None:
    problem = await problem_of(await shared_http.get("/v1/refusal"), shared_recording, "out-of-stock")
    assert problem["detail"] == "2 left"
    assert problem["errors"] == [{"field": "lines[0].quantity", "message": "too many"}]
    assert problem["order_id"] == "o-1"


async def test_a_peer_that_is_away(shared_http: Client, shared_recording: Recording) -> None:
    answer = await shared_http.get("/v1/peer-away")
    problem = await problem_of(answer, shared_recording, "service-unavailable")
    assert (problem["retry_after"], answer.headers["retry-after"]) == (2.5, "3")
    assert SECRET not in answer.body.decode()
    (line,) = [each for each in shared_recording.log_lines if each["trace_id"] == answer.trace_id]
    assert (line["level"], line["slug"]) == ("WARNING", "service-unavailable")
    assert SECRET in line["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/items/a", 200),
        ("GET", "/v1/elsewhere", 307),
        ("GET", "/v1/items/", 404),
        ("HEAD", "/v1/items", 405),
    ],
)
async def test_every_other_answer_has_its_trace_id_too(
    shared_http: Client, shared_recording: Recording, method: str, path: str, status: int
) -> None:
    answer = await shared_http.ask(method, path)
    assert answer.status == status
    assert answer.trace_id == trace_of(shared_recording.spans[-1])
