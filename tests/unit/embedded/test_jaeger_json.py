"""Jaeger's JSON, in the details that its users' programs rely on. Expectations are answers of Jaeger 1.76."""

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observability.embedded.jaeger_json import trace_json
from observability.embedded.otlp import Decoder
from observability.embedded.records import Trace
from tests.unit.embedded.spans import START_NS, Made, request, trace_id

PARENT = bytes.fromhex("00000000000000aa")


def answer(*spans: Made, raw: bool = False, number: int = 1) -> Any:
    records = Decoder().decode(request(*spans)).spans
    return json.loads(json.dumps(trace_json(Trace(trace_id(number), tuple(records)), raw=raw), allow_nan=False))


def test_a_span() -> None:
    high = 0xDDCB << 112
    trace = answer(
        Made(trace=high, duration_ms=1.5, tags={"z": 1, "a": True}, span_id=PARENT, resource={"host.name": "m"}),
        number=high,
    )
    assert trace == {
        "traceID": "ddcb" + "0" * 28,
        "spans": [
            {
                "traceID": "ddcb" + "0" * 28,
                "spanID": "00000000000000aa",
                "operationName": "POST /orders",
                "references": [],
                "startTime": START_NS // 1000,
                "duration": 1500,
                "tags": [
                    {"key": "a", "type": "bool", "value": True},
                    {"key": "otel.scope.name", "type": "string", "value": "faultline"},
                    {"key": "otel.scope.version", "type": "string", "value": "1.2.3"},
                    {"key": "span.kind", "type": "string", "value": "server"},
                    {"key": "z", "type": "int64", "value": 1},
                ],
                "logs": [],
                "processID": "p1",
                "warnings": None,
            }
        ],
        "processes": {"p1": {"serviceName": "orders", "tags": [{"key": "host.name", "type": "string", "value": "m"}]}},
        "warnings": None,
    }


def test_a_short_trace_id_keeps_its_sixteen_digits() -> None:
    assert answer(Made(trace=0x589C88901EEB7E6F), number=0x589C88901EEB7E6F)["traceID"] == "589c88901eeb7e6f"


def test_a_failure_is_three_tags() -> None:
    tags = {tag["key"]: tag["value"] for tag in answer(Made(failed=True, message="card declined"))["spans"][0]["tags"]}
    assert tags["error"] is True
    assert tags["otel.status_code"] == "ERROR"
    assert tags["otel.status_description"] == "card declined"


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (2**53 - 1, "int64", 2**53 - 1),
        (2**53 + 1, "int64", "9007199254740993"),
        (-(2**53), "int64", "-9007199254740992"),
        (1.5, "float64", 1.5),
        (float("inf"), "float64", "inf"),
        (b"\0\1", "binary", "AAE="),
        ("", "string", ""),
    ],
)
def test_values_keep_their_type(value: Any, kind: str, shown: Any) -> None:
    tags = answer(Made(tags={"value": value}))["spans"][0]["tags"]
    assert {"key": "value", "type": kind, "value": shown} in tags


def test_parents_links_and_events() -> None:
    sent = request(
        Made(parent=PARENT, events=[("reserved", {"sku": "tea"})]), Made(span_id=PARENT, name="root", start_ms=-1)
    )
    span = sent.resource_spans[0].scope_spans[0].spans[0]
    span.links.append(Span.Link(trace_id=trace_id(9), span_id=PARENT))
    trace = Trace(trace_id(1), tuple(Decoder().decode(sent).spans))
    root, child = trace_json(trace)["spans"]
    assert root["references"] == []
    assert [(each["refType"], each["traceID"]) for each in child["references"]] == [
        ("CHILD_OF", f"{1:016x}"),
        ("FOLLOWS_FROM", f"{9:016x}"),
    ]
    assert child["logs"] == [
        {
            "timestamp": START_NS // 1000,
            "fields": [
                {"key": "event", "type": "string", "value": "reserved"},
                {"key": "sku", "type": "string", "value": "tea"},
            ],
        }
    ]


def test_an_orphan_of_no_length_is_warned_about_as_jaeger_does() -> None:
    span = answer(Made(start_ms=20030, duration_ms=0, parent=bytes.fromhex("dc03103aab1b2f2e")))["spans"][0]
    negative = (
        "Negative duration detected, sanitizing end timestamp. Original end timestamp: 2026-01-01 01:00:20.03 +0000 UTC, "
        "adjusted to: 2026-01-01 01:00:20.030000001 +0000 UTC"
    )
    assert span["warnings"] == [
        negative,
        "invalid parent span IDs=dc03103aab1b2f2e; skipping clock skew adjustment",
    ]


def test_a_span_sent_twice_is_shown_once_but_raw_twice() -> None:
    span = Made()
    assert len(answer(span, span)["spans"]) == 1
    assert len(answer(span, span, raw=True)["spans"]) == 2


def test_equal_resources_are_one_process() -> None:
    processes = answer(Made(), Made(), Made(service="b"))["processes"]
    assert sorted(each["serviceName"] for each in processes.values()) == ["b", "orders"]
