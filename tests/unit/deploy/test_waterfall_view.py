from typing import Any

import pytest

from deploy.cli.waterfall_view import lines
from observability.embedded.waterfall import build

Tags = dict[str, str | bool | int]


def span(
    span_id: str,
    start_us: int,
    duration_us: int,
    operation: str,
    parent: str = "",
    process: str = "p1",
    **tags: str | bool,
) -> dict[str, Any]:
    references = [{"refType": "CHILD_OF", "traceID": "abc", "spanID": parent}] if parent else []
    return {
        "traceID": "abc",
        "spanID": span_id,
        "operationName": operation,
        "references": references,
        "startTime": 1_700_000_000_000_000 + start_us,
        "duration": duration_us,
        "processID": process,
        "tags": [{"key": key.replace("_", "."), "value": value} for key, value in tags.items()],
        "logs": [],
    }


TRACE = {
    "traceID": "abc",
    "processes": {"p1": {"serviceName": "gateway", "tags": []}, "p2": {"serviceName": "orders", "tags": []}},
    "spans": [
        span("1", 0, 100_000, "POST /api/v1/orders"),
        span("2", 10_000, 80_000, "POST /v1/orders", "1", "p2"),
        span("3", 10_000, 20_000, "orders-db place_order", "2", "p2"),
        span("4", 11_000, 1_000, "INSERT orders-db", "3", "p2", db_query_text="INSERT"),
        span("5", 13_000, 1_000, "INSERT orders-db", "3", "p2", db_query_text="INSERT"),
        span("6", 30_000, 50_000, "payments Authorize", "2", "p2"),
        span("7", 30_000, 10_000, "faultline.payments.v1.Payments/Authorize", "6", "p2", faultline_attempt="1", error=True, error_type="UNAVAILABLE"),
        span("8", 60_000, 20_000, "faultline.payments.v1.Payments/Authorize", "6", "p2", faultline_attempt="2"),
    ],
}  # fmt: skip


def drawn(width: int, *, everything: bool = False) -> list[str]:
    return [each.plain.rstrip() for each in lines(build(TRACE), width, everything=everything)]


def test_a_trace_is_drawn() -> None:
    assert drawn(80) == [
        "Trace abc  100 ms, 8 spans in 2 services, 1 retry, 1 failed",
        "━━ gateway  ━━ orders",
        "                                             0            50 ms",
        "gateway: POST /api/v1/orders                 ━━━━━━━━━━━━━━━━━━━━━━━━━━   100 ms",
        "  orders: POST /v1/orders                      ╺━━━━━━━━━━━━━━━━━━━━╸      80 ms",
        "    orders-db place_order (2 SQL)              ╺━━━━━                      20 ms",
        "    payments Authorize (2 attempts)                 ╺━━━━━━━━━━━━━         50 ms",
        "      ✗ attempt 1 Payments/Authorize                ╺━━╸                   10 ms",
        "        UNAVAILABLE",
        "      attempt 2 Payments/Authorize                          ╺━━━━━         20 ms",
    ]


def test_everything_has_the_statements_too() -> None:
    assert [each.split("  ")[0] for each in map(str.strip, drawn(80, everything=True))].count("INSERT orders-db") == 2


@pytest.mark.parametrize("width", [1, 40, 60, 80, 99, 100, 120, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, drawn(width, everything=True))) <= max(40, width, 70)


def test_a_trace_without_duration_is_drawn_too() -> None:
    instant = {**TRACE, "spans": [span("1", 0, 0, "GET /")]}
    assert any("GET /" in each.plain for each in lines(build(instant), 80))


def test_long_names_are_cut_not_wrapped() -> None:
    long = {**TRACE, "spans": [span("1", 0, 5, "x" * 500)]}
    assert max(len(each.plain) for each in lines(build(long), 80)) <= 80


def test_control_characters_are_shown_not_sent() -> None:
    wild = span("1", 0, 5, "a\x1b[2J\nb", error=True, error_type="c\x07")
    shown = [each.plain for each in lines(build({**TRACE, "spans": [wild]}), 80)]
    assert any(r"a\x1b[2J\nb" in each for each in shown)
    assert all(character.isprintable() for each in shown for character in each)


def told(**fields: str) -> str:
    """The last line of a trace whose second span has an event with these fields; `__` stands for a dot."""
    named = [{"key": key.replace("__", "."), "value": value} for key, value in fields.items()]
    log = {"timestamp": 1_700_000_000_015_000, "fields": named}
    hurt = {**span("2", 10_000, 80_000, "POST /v1/orders", "1", "p2"), "logs": [log]}
    trace = {**TRACE, "spans": [span("1", 0, 100_000, "POST /api/v1/orders"), hurt]}
    shown = [each.plain.rstrip() for each in lines(build(trace), 80)]
    return shown[-1]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"event": "faultline.fault.injected", "faultline__fault__kind": "latency", "faultline__fault__id": "f-1"},
            "injected fault: latency (f-1)",
        ),
        (
            {"event": "faultline.circuit_breaker.rejected", "faultline__circuit_breaker__state": "half_open"},
            "circuit breaker half open: the peer was not called",
        ),
        (
            {
                "event": "faultline.circuit_breaker.transition",
                "faultline__circuit_breaker__old_state": "closed",
                "faultline__circuit_breaker__state": "open",
            },
            "circuit breaker: closed → open",
        ),
        (
            {"event": "faultline.retry.stopped", "faultline__retry__stopped_by": "deadline"},
            "no further attempt: it would come too late",
        ),
        ({"event": "faultline.hedge", "faultline__delay_ms": "20.4444"}, "hedge: a second attempt after 20.4 ms"),
        ({"event": "faultline.hedge", "faultline__delay_ms": "soon"}, "hedge: a second attempt after soon"),
        ({"event": "faultline.fallback", "faultline__fallback__result": "served"}, "fallback served"),
    ],
)
def test_what_faults_and_policies_did_is_told_below_the_span(fields: dict[str, str], line: str) -> None:
    assert told(**fields) == f"    {line}"


def test_other_events_are_not_told() -> None:
    assert told(event="something else").startswith("  orders: POST /v1/orders")
