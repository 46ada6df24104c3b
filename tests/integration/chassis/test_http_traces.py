import asyncio

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from tests.integration.chassis.http_toy import MAY_CONTINUE, SECRET, Client, Parts, create_app, served
from tests.integration.chassis.ports import HOST
from tests.unit.chassis.recording import Recording, attributes_of, id_of, trace_of

FOREIGN_TRACE = "0af7651916cd43dd8448eb211c80319c"
FOREIGN_SPAN = "b7ad6b7169203331"
pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACEPARENT = {"traceparent": f"00-{FOREIGN_TRACE}-{FOREIGN_SPAN}-01"}


@pytest.fixture
def fresh(shared_recording: Recording) -> Recording:
    """The shared recording, without the spans of earlier tests."""
    shared_recording.forget_spans()
    return shared_recording


async def test_the_span_of_a_request_has_the_stable_names(shared_http: Client, fresh: Recording) -> None:
    await shared_http.get("/v1/items/a?x=1", **{"User-Agent": "toy"})
    span = fresh.named("GET /v1/items/{item_id}")
    assert span.kind is SpanKind.SERVER
    assert span.status.status_code is StatusCode.UNSET
    attributes = attributes_of(span)
    expected = {
        "http.request.method": "GET",
        "http.route": "/v1/items/{item_id}",
        "http.response.status_code": 200,
        "url.path": "/v1/items/a",
        "url.query": "x=1",
        "url.scheme": "http",
        "server.address": HOST,
        "server.port": int(shared_http.url.rsplit(":", 1)[1]),
        "client.address": HOST,
        "network.protocol.version": "1.1",
        "user_agent.original": "toy",
    }
    assert expected.items() <= attributes.items()
    old = {
        "http.method",
        "http.status_code",
        "http.url",
        "http.target",
        "http.scheme",
        "net.host.name",
        "http.user_agent",
    }
    assert not old & set(attributes)


async def test_a_request_is_one_span(shared_http: Client, fresh: Recording) -> None:
    await shared_http.ask("POST", "/v1/items", json={"name": "x", "lines": []})
    assert len(fresh.spans) == 1, "none for receiving and sending"


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("GET", "/nowhere", "GET", 404),
        ("DELETE", "/v1/items", "DELETE /v1/items", 405),
        ("BREW", "/nowhere", "HTTP", 404),
        ("GET", "/v1/refusal", "GET /v1/refusal", 409),
    ],
)
async def test_what_is_refused_is_no_error(
    shared_http: Client, fresh: Recording, method: str, path: str, name: str, status: int
) -> None:
    await shared_http.ask(method, path)
    span = fresh.named(name)
    assert attributes_of(span)["http.response.status_code"] == status
    assert span.status.status_code is StatusCode.UNSET


async def test_a_defect_is_an_error_with_its_exception(shared_http: Client, fresh: Recording) -> None:
    await shared_http.get("/v1/defect")
    span = fresh.named("GET /v1/defect")
    assert span.status.status_code is StatusCode.ERROR
    assert attributes_of(span)["http.response.status_code"] == 500
    [event] = span.events
    assert event.attributes
    assert event.attributes["exception.type"] == "ZeroDivisionError"
    assert event.attributes["exception.message"] == SECRET


async def test_a_spent_limit_of_the_systems_is_an_error(recording: Recording) -> None:
    async with served(create_app(recording, Parts(), cap=0.02)) as client:
        await client.get("/v1/work")
    assert recording.named("GET /v1/work").status.status_code is StatusCode.ERROR


async def test_a_foreign_trace_is_linked(shared_http: Client, fresh: Recording) -> None:
    answer = await shared_http.get("/v1/items", **TRACEPARENT)
    span = fresh.named("GET /v1/items")
    assert answer.trace_id == trace_of(span) != FOREIGN_TRACE
    assert span.parent is None
    [link] = span.links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" == f"{FOREIGN_TRACE}-{FOREIGN_SPAN}"


async def test_who_may_continues_it(shared_http: Client, fresh: Recording) -> None:
    answer = await shared_http.get("/v1/items", **TRACEPARENT, **MAY_CONTINUE)
    span = fresh.named("GET /v1/items")
    assert answer.trace_id == trace_of(span) == FOREIGN_TRACE
    assert span.parent
    assert f"{span.parent.span_id:016x}" == FOREIGN_SPAN
    assert not span.links


@pytest.mark.parametrize("value", ["", "garbage", f"00-{'0' * 32}-{FOREIGN_SPAN}-01", f"ff-{FOREIGN_TRACE}-x-01"])
@pytest.mark.parametrize("may", [{}, MAY_CONTINUE])
async def test_a_foreign_trace_that_is_none(
    shared_http: Client, fresh: Recording, value: str, may: dict[str, str]
) -> None:
    answer = await shared_http.get("/v1/items", traceparent=value, **may)
    span = fresh.named("GET /v1/items")
    assert (answer.status, answer.trace_id) == (200, trace_of(span))
    assert span.parent is None
    assert not span.links


async def test_what_only_the_inside_may_say_is_dropped(shared_http: Client) -> None:
    answer = await shared_http.get("/v1/headers", **{"X-User-Id": "root", "Baggage": "fault=x", "X-Other": "kept"})
    seen = await answer.json()
    assert seen["x-other"] == "kept"
    assert not {"x-user-id", "baggage"} & set(seen)


async def test_requests_that_wait_on_one_connection_have_nothing_in_common(
    shared_http: Client, fresh: Recording
) -> None:
    """The second is begun by whatever ends the first, and must not begin within its trace."""
    host, port = shared_http.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    first = b"GET /v1/items/1 HTTP/1.1\r\nHost: toy\r\n\r\n"
    last = b"GET /v1/items/2 HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n"
    writer.write(first + last)
    answers = await reader.read()
    writer.close()
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    one, other = fresh.spans
    assert trace_of(one) != trace_of(other)
    assert one.parent is other.parent is None
    assert id_of(one) != id_of(other)
