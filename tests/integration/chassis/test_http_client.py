import pytest

from observability import semconv
from services.chassis.errors import PeerFailedError, PeerUnavailableError, ProblemError
from services.chassis.http.client import HttpClient, HttpRequest, HttpResponse
from services.chassis.principal import Principal
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from tests.integration.chassis.http_toy import Client, Parts, create_app, served
from tests.integration.chassis.peers import http_client
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import Recording

PRINCIPAL = Principal("user-1", "demo", frozenset({"orders:read", "orders:write"}))
DURATION = semconv.HTTP_CLIENT_REQUEST_DURATION


async def ask(client: HttpClient, path: str, method: str = "GET") -> HttpResponse:
    return await client.request("ask", HttpRequest(method, path), idempotent=True)


async def test_an_answer_comes_back_decoded(toy_http: Client, recording: Recording) -> None:
    async with http_client(recording, toy_http.url) as client:
        item = {"name": "x", "lines": [{"quantity": 1}]}
        created = await client.request("post_item", HttpRequest("POST", "/v1/items", json=item), idempotent=False)
        query = HttpRequest("GET", "/v1/items", query={"limit": "7"})
        listed = await client.request("get_items", query, idempotent=True)
    assert (created.status, created.body, listed.body) == (201, "x", 7)
    assert created.headers["Content-Type"] == "application/json"
    assert recording.count(DURATION, "POST", "peer", "201", "") == 1
    assert recording.count(semconv.CALL_DURATION, "peer", "get_items", "success") == 1


async def test_an_answer_below_400_is_an_answer(toy_http: Client, recording: Recording) -> None:
    async with http_client(recording, toy_http.url) as client:
        answer = await ask(client, "/v1/elsewhere")
    assert (answer.status, answer.headers["location"], answer.body) == (307, "/v1/items", None)


async def test_principal_deadline_and_headers_are_sent(recording: Recording) -> None:
    request = HttpRequest("GET", "/v1/headers", headers={"Idempotency-Key": "k", "X-User-Id": "x"}, principal=PRINCIPAL)
    async with (
        served(create_app(recording, Parts())) as server,
        http_client(recording, server.url, attempt_timeout=20) as client,
    ):
        own = (await client.request("ask", request, idempotent=True)).body
        with deadline.bound(Deadline.after(10)):
            sooner = (await client.request("ask", request, idempotent=True)).body
    expected = {
        "x-user-id": "user-1",
        "x-client-id": "demo",
        "x-scopes": "orders:read orders:write",
        "idempotency-key": "k",
    }
    assert expected.items() <= own.items()
    assert 10_000 < int(own["x-request-timeout-ms"]) <= 20_000
    assert 0 < int(sooner["x-request-timeout-ms"]) <= 10_000


async def test_a_path_is_sent_as_it_is(toy_http: Client, recording: Recording) -> None:
    async with http_client(recording, toy_http.url) as client:
        assert (await ask(client, "/v1/items/..")).body == ".."
        assert (await ask(client, "/v1/items/a%20b%3F")).body == "a b?"


async def test_a_peers_refusal_arrives_whole(toy_http: Client, recording: Recording) -> None:
    async with http_client(recording, toy_http.url) as client:
        with pytest.raises(ProblemError) as caught:
            await ask(client, "/v1/refusal")
    assert (caught.value.slug, caught.value.detail) == ("out-of-stock", "2 left")
    assert [(each.field, each.message) for each in caught.value.errors] == [("lines[0].quantity", "too many")]
    assert caught.value.extensions == {"order_id": "o-1"}
    assert recording.count(DURATION, "GET", "peer", "409", "") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", "success") == 1


@pytest.mark.parametrize(
    ("path", "slug", "retry_after"),
    [("/v1/defect", "internal", None), ("/v1/peer-away", "service-unavailable", 2.5)],
)
async def test_a_peers_failure_is_a_failed_call(
    toy_http: Client, recording: Recording, path: str, slug: str, retry_after: float | None
) -> None:
    async with http_client(recording, toy_http.url) as client:
        with pytest.raises(PeerFailedError, match="toy → peer ask: ") as caught:
            await ask(client, path)
    assert (caught.value.slug, caught.value.problem.slug, caught.value.retry_after) == (slug, slug, retry_after)
    assert recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", "failure") == 1


async def test_replicas_are_taken_in_turn(recording: Recording) -> None:
    app = create_app(recording, Parts())
    async with served(app) as one, served(app) as other, http_client(recording, one.url, other.url) as client:
        for _ in range(4):
            await ask(client, "/v1/items")
    ports = [(span.attributes or {})["server.port"] for span in recording.spans if span.name == "GET"]
    assert ports[0] != ports[1]
    assert ports == ports[:2] * 2


async def test_a_peer_is_there_while_one_of_its_replicas_listens(toy_http: Client, recording: Recording) -> None:
    away = f"http://{HOST}:{free_port()}"
    async with http_client(recording, away, toy_http.url) as client:
        await client.check()
    async with http_client(recording, away) as client:
        with pytest.raises(PeerUnavailableError, match="toy → peer check: ConnectionRefusedError"):
            await client.check()
    assert recording.spans == [], "it was asked nothing"


async def test_it_is_of_no_use_before_its_start(recording: Recording) -> None:
    async with http_client(recording, "http://127.0.0.1:1") as client:
        unstarted = HttpClient(["http://127.0.0.1:1"], client._seam, recording.telemetry)  # noqa: SLF001
    with pytest.raises(RuntimeError, match="http client toy/peer was used before it was started"):
        await ask(unstarted, "/")
    await unstarted.stop()
