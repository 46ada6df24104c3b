"""The receiver takes what Alertmanager sends, and answers anything else clearly."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from observability.alerting.http_api import create_app
from observability.alerting.notifications import Delivered
from observability.alerting.receiver import MOST_BYTES, Receiver
from observability.metrics import Instruments

TOKEN = "a-token-of-some-length"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
MOST = 3
AT_S = 1_700_000_000.0

Client = TestClient[Request, Application]


@pytest.fixture
def delivered() -> Delivered:
    return Delivered(MOST)


@pytest.fixture
def metrics() -> Instruments:
    return Instruments(CollectorRegistry())


@pytest.fixture
async def client(delivered: Delivered, metrics: Instruments, tmp_path: Path) -> AsyncIterator[Client]:
    async def overview() -> dict[str, Any]:
        return {"delivered": [each.document() for each in delivered.newest_first()]}

    (tmp_path / "NoTraffic.md").write_text("# NoTraffic\n")
    receiver = Receiver(delivered, TOKEN, metrics, lambda: AT_S)
    async with TestClient(TestServer(create_app(overview, receiver, tmp_path))) as found:
        yield found


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "NoTraffic", "severity": "ticket", **labels},
        "annotations": {"summary": "no customer comes through gateway", "description": "…"},
        "startsAt": "2023-11-14T22:13:00Z",
        "endsAt": "2023-11-14T22:14:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": "b0c5e8f6a7d4c3b2",
    }


def notification(*alerts: dict[str, Any]) -> dict[str, Any]:
    """As Alertmanager 0.25 sends it."""
    return {
        "version": "4",
        "groupKey": '{}:{severity="ticket"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "faultline-alerts",
        "groupLabels": {"severity": "ticket"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        "alerts": list(alerts),
    }


def counted(metrics: Instruments) -> dict[str, int]:
    lines = metrics.exposition()[0].decode().splitlines()
    found = [each.split('"') for each in lines if each.startswith("faultline_alerts_notifications_total{")]
    return {result: int(float(value.removeprefix("} "))) for _, result, value in found}


async def test_a_notification_is_taken_and_told(client: Client) -> None:
    answer = await client.post("/notifications", json=notification(alert(), alert("resolved")), headers=AUTHORIZED)
    assert (answer.status, await answer.json()) == (200, {"taken": 2})
    told = (await (await client.get("/api/alerts")).json())["delivered"]
    assert [(each["status"], each["ends_at"]) for each in told] == [
        ("resolved", "2023-11-14T22:14:00.000Z"),
        ("firing", None),
    ]
    assert (told[0]["alertname"], told[0]["severity"]) == ("NoTraffic", "ticket")
    assert (told[0]["at"], told[0]["starts_at"]) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:13:00.000Z")


async def test_the_watchdog_is_remembered_by_its_time_alone(client: Client, delivered: Delivered) -> None:
    await client.post("/notifications", json=notification(alert(alertname="Watchdog")), headers=AUTHORIZED)
    assert delivered.heartbeat_s == AT_S
    assert delivered.newest_first() == []


async def test_what_is_kept_is_bounded(client: Client, delivered: Delivered) -> None:
    for number in range(MOST + 2):
        await client.post("/notifications", json=notification(alert(service=str(number))), headers=AUTHORIZED)
    assert [each.labels["service"] for each in delivered.newest_first()] == ["4", "3", "2"]


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Basic x"}]
)
async def test_who_has_no_token_is_refused(
    client: Client, delivered: Delivered, metrics: Instruments, header: dict[str, str]
) -> None:
    answer = await client.post("/notifications", json=notification(alert()), headers=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert delivered.newest_first() == []
    assert counted(metrics) == {"accepted": 0, "malformed": 0, "unauthorized": 1}


async def test_a_header_that_is_no_utf8_is_a_wrong_token(
    client: Client, metrics: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /notifications HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\r\nContent-Length: 0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    assert counted(metrics)["unauthorized"] == 1
    assert [each.message for each in caplog.records if each.levelname == "WARNING"] == ["a notification was refused"]


def _changed(**fields: Any) -> bytes:
    return json.dumps(notification({**alert(), **fields})).encode()


GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff\x00garbage",
    "half of it": json.dumps(notification(alert())).encode()[:-10],
    "another shape": b"[]",
    "no alerts": json.dumps(notification()).encode(),
    "another version": json.dumps({**notification(alert()), "version": "3"}).encode(),
    "a status that is none": _changed(status="burning"),
    "labels that are no texts": _changed(labels={"a": {"b": 1}}),
    "too many labels": _changed(labels={str(number): "x" for number in range(100)}),
    "a text without end": _changed(labels={"alertname": "x" * 5000}),
    "a time that is none": _changed(startsAt="yesterday"),
    "more alerts than anybody has": json.dumps(notification(*[alert()] * 1001)).encode(),
    "brackets without end": b"[" * 100_000,
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_refused_clearly_counted_and_survived(
    client: Client, delivered: Delivered, metrics: Instruments, body: bytes
) -> None:
    answer = await client.post("/notifications", data=body, headers=AUTHORIZED)
    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["detail"].startswith("This is no notification of Alertmanager's:")
    assert delivered.newest_first() == []
    assert counted(metrics)["malformed"] == 1
    assert (await client.post("/notifications", json=notification(alert()), headers=AUTHORIZED)).status == 200


async def test_one_that_is_too_large_is_refused(client: Client, metrics: Instruments) -> None:
    answer = await client.post("/notifications", data=b"x" * (MOST_BYTES + 1), headers=AUTHORIZED)
    assert answer.status == 413
    assert counted(metrics)["malformed"] == 1


async def test_a_runbook_is_served(client: Client) -> None:
    answer = await client.get("/runbooks/NoTraffic")
    assert (answer.status, await answer.text()) == (200, "# NoTraffic\n")


@pytest.mark.parametrize("name", ["Nothing", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "x" * 300])
async def test_no_other_file_is(client: Client, name: str) -> None:
    assert (await client.get(f"/runbooks/{name}")).status == 404
