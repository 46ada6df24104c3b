import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from fastapi import APIRouter
from opentelemetry.trace import StatusCode
from starlette.middleware import Middleware

from observability import semconv
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.http import DETAIL
from services.chassis.faults.site import FaultSite
from services.chassis.http.app import create
from services.chassis.http.middleware import DeadlineGate
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.http_toy import Client, served
from tests.integration.faults.asking import LONG_MS, assert_told, set_fault, touched
from tests.unit.chassis.recording import Recording

ITEM = {"item": "a", "about": "x" * 100}
SPAN = "GET /v1/items/{item_id}"
CAP_S = 60.0


class Shelf:
    """The business code: counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def client(recording: Recording, site: FaultSite, shelf: Shelf) -> AsyncIterator[Client]:
    routes = APIRouter(prefix="/v1")

    @routes.get("/items/{item_id}")
    async def get_item(item_id: str) -> dict[str, str]:
        shelf.asked += 1
        return {**ITEM, "item": item_id}

    @routes.get("/nothing", status_code=204)
    async def get_nothing() -> None:
        shelf.asked += 1

    app = create(recording.telemetry, CATALOGUE, [Middleware(DeadlineGate, cap=CAP_S), site.http()])
    app.include_router(routes)
    site.serves(app)
    async with served(app) as made:
        yield made


async def test_without_a_fault_nothing_is_touched(client: Client, site: FaultSite) -> None:
    assert (await client.get("/v1/items/a")).status == 200
    assert not site.store


async def test_a_latency_delays_the_answer_and_nothing_else(
    client: Client, site: FaultSite, shelf: Shelf, recording: Recording
) -> None:
    armed = set_fault(site, "latency", parameters={"ms": 30})
    answer = await client.get("/v1/items/a")
    assert (answer.status, await answer.json()) == (200, ITEM)
    assert shelf.asked == 1
    assert_told(recording, armed, SPAN)
    span = recording.named(SPAN)
    assert span.start_time
    assert span.end_time
    assert span.end_time - span.start_time >= 30_000_000
    assert span.status.status_code is StatusCode.UNSET


async def test_who_waits_goes_on_when_the_fault_is_taken_back(client: Client, site: FaultSite) -> None:
    armed = set_fault(site, "latency", parameters={"ms": LONG_MS})
    waiting = asyncio.create_task(client.get("/v1/items/a"))
    await touched(armed)
    assert not waiting.done()
    site.store.remove(armed.fault.fault_id)
    assert (await waiting).status == 200


@pytest.mark.parametrize(("kind", "parameters"), [("latency", {"ms": LONG_MS}), ("blackhole", {})])
async def test_the_deadline_cuts_off_what_waits(
    client: Client, site: FaultSite, shelf: Shelf, recording: Recording, kind: str, parameters: dict[str, int]
) -> None:
    armed = set_fault(site, kind, parameters=parameters)
    answer = await client.get("/v1/items/a", **{semconv.HEADER_REQUEST_TIMEOUT_MS: "100"})
    assert answer.status == 408
    assert shelf.asked == 0
    assert_told(recording, armed, SPAN)
    labels = ("GET", "/v1/items/{item_id}", "408")
    assert recording.count(semconv.HTTP_SERVER_REQUEST_DURATION, *labels) == 1


async def test_a_blackhole_answers_when_its_time_is_over(client: Client, site: FaultSite) -> None:
    set_fault(site, "blackhole", ttl_s=0.2)
    assert (await client.get("/v1/items/a")).status == 200


@pytest.mark.parametrize(
    ("status", "slug"),
    [(500, "internal"), (503, "service-unavailable"), (504, "deadline-exceeded"), (429, "too-many-requests")],
)
async def test_an_error_is_answered_as_the_services_own(
    client: Client, site: FaultSite, shelf: Shelf, recording: Recording, status: int, slug: str
) -> None:
    armed = set_fault(site, "error", parameters={"status": status})
    answer = await client.get("/v1/items/a")
    document = await answer.json()
    assert (answer.status, document["type"], document["detail"]) == (status, f"/problems/{slug}", DETAIL)
    assert shelf.asked == 0
    assert_told(recording, armed, SPAN)
    labels = ("GET", "/v1/items/{item_id}", str(status))
    assert recording.count(semconv.HTTP_SERVER_REQUEST_DURATION, *labels) == 1


async def test_an_error_is_a_503_unless_it_is_told(client: Client, site: FaultSite) -> None:
    set_fault(site, "error")
    assert (await client.get("/v1/items/a")).status == 503


async def test_a_status_that_cannot_be_answered_is_refused(client: Client, site: FaultSite) -> None:
    assert (await client.get("/v1/items/a")).status == 200
    choices = "400, 401, 403, 404, 429, 500, 503, 504"
    with pytest.raises(FaultRefusedError, match=f"parameters.status: there is no 200; there are {choices}"):
        set_fault(site, "error", parameters={"status": 200})
    assert not site.store


async def test_a_slow_body_comes_after_its_head_in_pieces_that_are_whole_together(
    client: Client, site: FaultSite, recording: Recording
) -> None:
    armed = set_fault(site, "slow-body", parameters={"ms": 50})
    answer = await client.get("/v1/items/a")
    assert (answer.status, await answer.json()) == (200, ITEM)
    assert_told(recording, armed, SPAN)


async def test_a_slow_body_is_broken_off_by_the_deadline(client: Client, site: FaultSite) -> None:
    set_fault(site, "slow-body", parameters={"ms": LONG_MS})
    with pytest.raises(aiohttp.ClientError):
        await client.get("/v1/items/a", **{semconv.HEADER_REQUEST_TIMEOUT_MS: "200"})


async def test_a_malformed_body_has_the_right_length_and_is_no_json(
    client: Client, site: FaultSite, recording: Recording
) -> None:
    good = await client.get("/v1/items/a")
    recording.forget_spans()
    armed = set_fault(site, "malformed-body")
    answer = await client.get("/v1/items/a")
    assert answer.status == 200
    assert len(answer.body) == len(good.body)
    with pytest.raises(UnicodeDecodeError):
        json.loads(answer.body)
    assert_told(recording, armed, SPAN)


@pytest.mark.parametrize(("kind", "parameters"), [("slow-body", {"ms": 10}), ("malformed-body", {})])
async def test_an_answer_without_a_body_stays_one(
    client: Client, site: FaultSite, kind: str, parameters: dict[str, int]
) -> None:
    set_fault(site, kind, parameters=parameters)
    answer = await client.get("/v1/nothing")
    assert (answer.status, answer.body) == (204, b"")


async def test_one_route_is_hurt_and_the_others_are_not(client: Client, site: FaultSite) -> None:
    armed = set_fault(site, "error", operation="GET /v1/items/{item_id}")
    assert (await client.get("/v1/nothing")).status == 204
    assert (await client.get("/v1/items/a")).status == 503
    assert armed.touched == 1


async def test_a_route_that_is_not_there_is_refused(client: Client, site: FaultSite) -> None:
    assert (await client.get("/v1/items/a")).status == 200
    with pytest.raises(FaultRefusedError) as caught:
        set_fault(site, "error", operation="POST /v1/items")
    assert str(caught.value).startswith("operation: there is no 'POST /v1/items'; there are ")
    assert "GET /v1/items/{item_id}, GET /v1/nothing" in str(caught.value)


async def test_only_who_carries_the_baggage_is_hurt(client: Client, site: FaultSite) -> None:
    armed = set_fault(site, "error", scope={"baggage": {"faultline.who": "me"}})
    assert (await client.get("/v1/items/a")).status == 200
    assert (await client.get("/v1/items/a", baggage="faultline.who=you")).status == 200
    assert (await client.get("/v1/items/a", baggage="other=1,faultline.who=me")).status == 503
    assert armed.touched == 1


async def test_two_faults_touch_one_request_and_both_can_be_found(
    client: Client, site: FaultSite, recording: Recording
) -> None:
    failing = set_fault(site, "error")
    slow = set_fault(site, "latency", parameters={"ms": 1})
    assert (await client.get("/v1/items/a")).status == 503
    events = [dict(each.attributes or {})[semconv.FAULT_ID] for each in recording.named(SPAN).events]
    assert events == [slow.fault.fault_id, failing.fault.fault_id]
