"""What the exporter of OpenTelemetry's JavaScript SDK sends as OTLP/HTTP JSON, recorded: one request a span."""

import json
from pathlib import Path
from typing import Any

from observability.embedded import otlp_json
from observability.embedded.jaeger_json import trace_json
from observability.embedded.otlp import Decoder
from observability.embedded.records import Trace

RECORDED = Path(__file__).with_name("javascript_exporter.json")


def check(trace: Any) -> None:
    """That nothing of it is lost: `trace` is Jaeger's JSON of it."""
    click, fetch = sorted(trace["spans"], key=lambda span: len(span["references"]))
    tags = {tag["key"]: tag["value"] for tag in click["tags"]}
    assert (click["operationName"], fetch["operationName"]) == ("click", "fetch")
    assert fetch["references"][0]["spanID"] == click["spanID"]
    assert (tags["user.id"], tags["count"], tags["ratio"], tags["ok"], tags["tags"]) == (
        "u-1",
        3,
        0.5,
        True,
        '["a","b"]',
    )
    assert (tags["span.kind"], tags["otel.scope.name"], tags["otel.scope.version"]) == ("client", "shop", "1.0")
    failed = {tag["key"]: tag["value"] for tag in fetch["tags"]}
    assert (failed["error"], failed["otel.status_description"]) == (True, "refused")
    (event,) = fetch["logs"]
    assert {field["key"]: field["value"] for field in event["fields"]} == {"event": "sent", "bytes": 12}
    assert [process["serviceName"] for process in trace["processes"].values()] == ["browser"]
    assert click["startTime"] <= event["timestamp"] <= click["startTime"] + click["duration"]


def test_the_recorded_requests_are_read() -> None:
    decoder = Decoder()
    requests = [otlp_json.parse(json.dumps(each).encode()) for each in json.loads(RECORDED.read_bytes())]
    decoded = [decoder.decode(each) for each in requests]
    spans = tuple(span for each in decoded for span in each.spans)
    assert [(each.refused, each.cut) for each in decoded] == [(0, 0), (0, 0)]
    check(trace_json(Trace(spans[0].trace_id, spans)))
