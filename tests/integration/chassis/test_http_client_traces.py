import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from services.chassis.errors import AttemptTimeoutError, FaultlineError
from services.chassis.http.client import HttpRequest
from tests.integration.chassis.http_toy import Parts, create_app, served
from tests.integration.chassis.peers import Behaviour, answers, hangs, http_client, raw_peer, with_body
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import Recording, attributes_of, id_of, trace_of


async def ask(recording: Recording, path: str) -> tuple[ReadableSpan, ReadableSpan, ReadableSpan]:
    """The spans of one call: logical call, attempt, and what the server made of it."""
    async with served(create_app(recording, Parts())) as peer:
        try:
            async with http_client(recording, peer.url) as client:
                await client.request("ask", HttpRequest("GET", path), idempotent=True)
        except FaultlineError:
            pass
    return recording.named("peer ask"), recording.named("GET"), recording.named(f"GET {path}")


async def test_the_server_continues_the_attempt_and_the_attempt_the_call(recording: Recording) -> None:
    call, attempt, server = await ask(recording, "/v1/items")
    assert (call.kind, attempt.kind, server.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.SERVER)
    assert call.parent is None
    assert attempt.parent
    assert server.parent
    assert (attempt.parent.span_id, server.parent.span_id) == (id_of(call), id_of(attempt))
    assert trace_of(call) == trace_of(attempt) == trace_of(server)


async def test_an_attempt_has_the_stable_names(recording: Recording) -> None:
    _, attempt, server = await ask(recording, "/v1/items")
    attributes = attributes_of(attempt)
    port = attributes_of(server)["server.port"]
    assert attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.full": f"http://{HOST}:{port}/v1/items",
        "server.address": HOST,
        "server.port": port,
        "faultline.callee": "peer",
        "faultline.attempt": 1,
    }


@pytest.mark.parametrize(
    ("path", "attempt_is", "call_is"),
    [
        ("/v1/items", StatusCode.UNSET, StatusCode.UNSET),
        ("/v1/refusal", StatusCode.OK, StatusCode.UNSET),
        ("/v1/defect", StatusCode.ERROR, StatusCode.ERROR),
        ("/v1/peer-away", StatusCode.ERROR, StatusCode.ERROR),
    ],
)
async def test_the_outcome_table_decides_what_is_an_error(
    recording: Recording, path: str, attempt_is: StatusCode, call_is: StatusCode
) -> None:
    call, attempt, _ = await ask(recording, path)
    assert (attempt.status.status_code, call.status.status_code) == (attempt_is, call_is)


async def test_an_attempt_that_got_no_answer_is_an_error(recording: Recording) -> None:
    async with http_client(recording, f"http://{HOST}:{free_port()}") as client:
        with pytest.raises(FaultlineError):
            await client.request("ask", HttpRequest("GET", "/"), idempotent=True)
    attempt = recording.named("GET")
    assert attempt.status.status_code is StatusCode.ERROR
    assert attributes_of(attempt)["error.type"] == "PeerUnavailableError"
    assert attributes_of(recording.named("peer ask"))["error.type"] == "PeerUnavailableError"


@pytest.mark.parametrize(
    ("behave", "attempt_timeout", "error_type"),
    [
        (hangs, 0.05, "AttemptTimeoutError"),
        # Its clock was a little ahead of ours: it is the status that was received.
        (answers(with_body(504, b'{"type": "/problems/deadline-exceeded"}')), 60, "504"),
    ],
)
async def test_an_attempt_that_was_given_up_has_ended_as_an_error(
    recording: Recording, behave: Behaviour, attempt_timeout: float, error_type: str
) -> None:
    async with (
        raw_peer(behave) as port,
        http_client(recording, f"http://{HOST}:{port}", attempt_timeout=attempt_timeout) as client,
    ):
        with pytest.raises(AttemptTimeoutError):
            await client.request("ask", HttpRequest("GET", "/v1/work"), idempotent=True)
    attempt = recording.named("GET")
    assert attempt.status.status_code is StatusCode.ERROR
    assert attributes_of(attempt)["error.type"] == error_type
    assert attributes_of(recording.named("peer ask"))["error.type"] == "AttemptTimeoutError"
