import asyncio
import re

import aiohttp
import pytest

from observability import semconv
from services.chassis.http.server import HttpServer
from tests.integration.chassis.http_toy import MAX_BODY_BYTES, Client, Parts, create_app
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import OPENMETRICS, Recording

pytestmark = pytest.mark.asyncio(loop_scope="module")

DURATION = semconv.HTTP_SERVER_REQUEST_DURATION


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/v1/items", "/v1/items", "200"),
        ("GET", "/v1/items/a", "/v1/items/{item_id}", "200"),
        ("GET", "/v1/items?limit=x", "/v1/items", "422"),
        ("GET", "/nowhere", "", "404"),
        ("DELETE", "/v1/items", "/v1/items", "405"),
        ("GET", "/v1/refusal", "/v1/refusal", "409"),
        ("GET", "/v1/defect", "/v1/defect", "500"),
        ("GET", "/v1/peer-away", "/v1/peer-away", "503"),
    ],
)
async def test_every_request_is_counted_under_its_route(
    shared_http: Client, shared_recording: Recording, method: str, path: str, route: str, status: str
) -> None:
    await shared_http.ask(method, path)
    assert shared_recording.count(DURATION, method, route, status) == 1
    assert shared_recording.count(semconv.HTTP_SERVER_ACTIVE_REQUESTS) == 0


async def test_what_a_step_refuses_too(shared_http: Client, shared_recording: Recording) -> None:
    await shared_http.ask("POST", "/v1/items", data=b" " * (MAX_BODY_BYTES + 1))
    await shared_http.get("/v1/items", **{"X-Request-Timeout-Ms": "0"})
    assert shared_recording.count(DURATION, "POST", "/v1/items", "413") == 1
    assert shared_recording.count(DURATION, "GET", "/v1/items", "408") == 1


async def test_a_method_that_nobody_knows_makes_no_label(shared_http: Client, shared_recording: Recording) -> None:
    await shared_http.ask("BREW", "/v1/items")
    assert shared_recording.count(DURATION, "_OTHER", "/v1/items", "405") == 1


async def test_a_slow_bucket_leads_to_its_trace(shared_http: Client, shared_recording: Recording) -> None:
    answer = await shared_http.get("/v1/items")
    body, _ = shared_recording.telemetry.metrics.exposition(OPENMETRICS)
    exemplars = re.findall(
        r'^http_server_request_duration_seconds_bucket.* # \{.*trace_id="(\w+)"', body.decode(), re.MULTILINE
    )
    assert answer.trace_id in exemplars


async def test_requests_in_flight_are_counted_and_those_cut_off_are_measured(recording: Recording) -> None:
    parts, port = Parts(), free_port()
    server = HttpServer("http server", create_app(recording, parts), HOST, port)
    await server.start()
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(session.get(f"http://{HOST}:{port}/v1/work"))
        await parts.begun.wait()
        assert recording.count(semconv.HTTP_SERVER_ACTIVE_REQUESTS) == 1
        await server.stop()
        await asyncio.gather(asked, return_exceptions=True)
    assert parts.cancelled.is_set()
    assert recording.count(semconv.HTTP_SERVER_ACTIVE_REQUESTS) == 0
    assert recording.count(DURATION, "GET", "/v1/work", "499") == 1
    assert recording.named("GET /v1/work").end_time
