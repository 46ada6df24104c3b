"""What telemetry tells of a request, we tell, and nobody else."""

from collections.abc import MutableMapping
from typing import Any, get_type_hints

import pytest
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis.http.app import NO_OTHER_TELEMETRY, create
from services.chassis.settings import ServerSpanWriter
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.recording import Recording

PATH = "/here"


async def here() -> dict[str, str]:
    return {}


async def ask(app: FastAPI) -> int:
    """The status of the answer to a request without a body."""
    answers: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    place = {"path": PATH, "raw_path": PATH.encode(), "query_string": b"", "root_path": "", "headers": []}
    await app({**scope, **place, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}, receive, send)
    return int(answers[0]["status"])


@pytest.mark.parametrize("spans", ["stock", "lean"])
async def test_a_provider_that_others_set_for_everybody_is_told_nothing(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, spans: ServerSpanWriter
) -> None:
    everybodys, exporter = TracerProvider(), InMemorySpanExporter()
    everybodys.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: everybodys)
    app = create(recording.telemetry, CATALOGUE, [], spans=spans)
    app.add_api_route(PATH, here)
    assert await ask(app) == 200
    assert [span.name for span in recording.spans] == [f"GET {PATH}"]
    assert exporter.get_finished_spans() == ()


def test_all_that_the_framework_can_switch_on_is_off() -> None:
    switches = {name for name, kind in get_type_hints(TelemetryConfig).items() if kind is bool}
    assert dict.fromkeys(switches, False) == NO_OTHER_TELEMETRY
