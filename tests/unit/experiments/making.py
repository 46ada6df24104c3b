"""Requests, samples, a site and records, made for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.control.target import Instance, Target
from chaos.measure.background_load import LoadOptions
from chaos.measure.edges import Edge
from chaos.measure.requests import Journey, Request
from chaos.measure.samples import ProcessSeen, Sample
from chaos.measure.site import Site
from chaos.toolkit.session import Options, Progress, Session
from observability.exposition import Samples, Series, parse
from observability.stack import objectives

SITE = Site(
    Path("state"),
    Target(
        "http://127.0.0.1:3",
        "token",
        [Instance(f"{each}-1", each, "127.0.0.1", {}) for each in ("gateway", "orders", "payments")],
    ),
    "http://127.0.0.1:1",
    "http://127.0.0.1:2",
    (),
    ("gateway/orders", "orders/payments", "orders/orders-db"),
)


def session(kind: type[Session] = Session) -> Session:
    """One that has begun nothing yet."""

    def nobody(_: Progress) -> None: ...

    return kind(SITE, Options(Edge("orders", "payments"), LoadOptions(1, 1, 1)), objectives.load(), nobody)


def request(
    at_s: float, *, good: bool = True, latency_s: float = 0.01, journey: Journey = "checkout", trace_id: str = "t"
) -> Request:
    """A request that was answered with 201, or with 503."""
    outcome, status, slug = ("201", 201, "") if good else ("503 service-unavailable", 503, "service-unavailable")
    return Request(at_s, latency_s, journey, "checkout_ok", outcome, status, slug, good, trace_id, "", None, 0)


def samples_of(text: str) -> Samples:
    """All samples of a page, whatever their names."""
    names = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    return parse(text, names)


def sample(at_s: float, values: Mapping[Series, float], pid: int | None = 1) -> Sample:
    """One of orders-1, whose process has this pid."""
    return Sample(at_s, {"orders-1": dict(values)}, {"orders-1": ProcessSeen("ready" if pid else "waiting", pid)})


def edge_series(name: str, outcome: str) -> Series:
    """Of the edge from orders to payments."""
    labels = {"faultline_callee": "payments", "faultline_operation": "Authorize", "faultline_outcome": outcome}
    return Series(name, tuple(sorted(labels.items())))


def arm(
    policy: str, run: int = 1, *, outcome: str = "passed", expected: str = "holds", **figures: float
) -> dict[str, Any]:
    """An arm of a record; its figures are what is given."""
    holds = outcome == "passed"
    claim = {"name": "browsing <did> not notice", "holds": holds, "said": "p99 2 s & more", "rests_on": "load"}
    rows = [
        {
            "at_s": at_s, "offered": 10, "good": 9, "checkouts": 5, "good_checkouts": 4, "p50_s": 0.01, "p99_s": None,
            "in_flight": 2, "calls": 5.0, "attempts": 6.0 if at_s else None, "breakers": {"orders/payments": "open"},
        }
        for at_s in range(4)
    ]  # fmt: skip
    return {
        "policy": policy,
        "run": run,
        "expected": expected,
        "verdict": {"outcome": outcome, "exit_code": 0 if holds else 1, "reasons": [] if holds else ["p99 2 s & more"]},
        "found": {
            "began_at": "2026-01-01T00:00:00+00:00",
            "assertions": [claim],
            "figures": figures,
            "timeline": rows,
            "phases": {"measured_s": 0.0, "fault_s": 1.0, "lifted_s": 2.5, "ended_s": 4.0, "notes": [[1.0, "fault"]]},
            "effects": [{"fault": "payments killed", "touched": 3, "said": "3 attempts failed"}],
            "coverage": {"sent": 40, "looked_at": 40, "seen": 40},
            "invariants": {"ok": True, "checked": 23, "counts": {"orders": {"confirmed": 9}}, "violations": []},
            "load": {"sent": 40, "generator": {"said": "", "lag_p99_s": 0.004}},
            "rps": 10.0,
            "seed": 1,
            "examples": [_example()],
        },
    }


def alerted(arm: dict[str, Any], evaluator: str, firing_s: float | None = 1.5) -> dict[str, Any]:
    """The same arm, which looked for an alert; its end was not told of."""
    alerts = {"alert": "Burning (page)", "evaluator": evaluator, "firing_s": firing_s, "resolved_s": None}
    return {**arm, "found": {**arm["found"], "alerts": alerts}}


def record(*arms: dict[str, Any], commit: str = "abc", runs: int = 1) -> dict[str, Any]:
    """A record of an experiment with these arms; its verdict is the last one's."""
    policies = list(dict.fromkeys(each["policy"] for each in arms))
    return {
        "version": 1,
        "experiment": {
            "name": "tried", "title": "Title <b>", "description": "", "summary": "s", "edge": "orders/payments",
            "definition": "d",
        },
        "began_at": "2026-01-01T00:00:00+00:00",
        "ended_at": "2026-01-01T00:01:05+00:00",
        "commit": commit,
        "machine": {"system": "Linux", "release": "6", "architecture": "x", "processors": 2, "python": "3.11"},
        "options": {"policies": policies, "runs": runs, "seed": 1, "quick": False},
        "replicas": {"orders": 1},
        "arms": list(arms),
        "verdict": arms[-1]["verdict"],
    }  # fmt: skip


def _example() -> dict[str, Any]:
    span = {
        "traceID": "a1", "spanID": "b1", "operationName": "POST /api/v1/orders", "references": [], "startTime": 1,
        "duration": 1000, "processID": "p1", "logs": [], "tags": [{"key": "error", "type": "bool", "value": True}],
    }  # fmt: skip
    trace = {"traceID": "a1", "spans": [span], "processes": {"p1": {"serviceName": "gateway", "tags": []}}}
    seen = {"outcome": "503 service-unavailable", "good": False, "latency_s": 0.02}
    return {"title": "A checkout that failed", "request": seen, "trace": trace}
