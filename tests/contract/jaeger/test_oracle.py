"""Held against a real Jaeger: the same spans, the same questions, the same answers.

`spans.otlp.json` was sent to Jaeger 1.76.0, `exchanges.json` is what it answered. The order of traces, spans, tags and
process numbers is not part of the contract; of errors it is the status.
"""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.unit.embedded.running import Backend, running

HERE = Path(__file__).parent
EXCHANGES: list[dict[str, Any]] = json.loads((HERE / "exchanges.json").read_bytes())

NO_LIMIT = "Jaeger's memory store cannot do without query.num_traces and ignores query.search_depth; ours can."
ANY_OF_THEM = "Where more traces match than are asked for, Jaeger's memory store takes any; ours the newest to arrive."
DIFFERENT: Mapping[str, str] = MappingProxyType(
    {
        'tags={"error": "true"}': "Jaeger's memory store finds no failed span by the tag that it shows; ours does.",
        "lookback=custom&limit=2$": ANY_OF_THEM,
        "query.operation_name": NO_LIMIT,
        "query.search_depth": NO_LIMIT,
        "query.start_time_max=2026-01-01T01:10:00.000000Z$": NO_LIMIT,
    }
)
"""What is in a path (without percent signs; `$` is its end) → why the answer differs."""


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running() as started:
        for request in json.loads((HERE / "spans.otlp.json").read_bytes()):
            _export(started, request)
        yield started


def _export(backend: Backend, request: Any) -> None:
    sent = urllib.request.Request(
        f"http://127.0.0.1:{backend.otlp_http_port}/v1/traces",
        json.dumps(request).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(sent, timeout=20) as answer:
        assert json.load(answer) == {}


def _why_different(path: str) -> str | None:
    plain = urllib.parse.unquote(path) + "$"
    return next((reason for part, reason in DIFFERENT.items() if part in plain), None)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda each: each["path"][:100])
def test_the_answer_is_jaegers(backend: Backend, exchange: dict[str, Any]) -> None:
    answer = backend.get(exchange["path"])
    same = answer.status == exchange["status"] and (answer.status >= 400 or _same(answer.json(), exchange["body"]))
    reason = _why_different(exchange["path"])
    assert same or reason, f"{answer.status}: {answer.text[:2000]}"
    assert not (same and reason), f"no longer different, so not in the table: {reason}"


def test_the_table_of_differences_is_short() -> None:
    assert len(set(DIFFERENT.values())) <= 5
    unused = [part for part in DIFFERENT if not any(part in urllib.parse.unquote(e["path"]) + "$" for e in EXCHANGES)]
    assert not unused


def _same(ours: Any, theirs: Any) -> bool:
    return bool(_canonical(ours) == _canonical(theirs))


def _canonical(value: Any, processes: Mapping[str, Any] | None = None) -> Any:
    """`value` with every list sorted, and process numbers replaced by the processes."""
    if isinstance(value, dict):
        processes = value.get("processes", processes)
        kept = {key: each for key, each in value.items() if key != "processes"}
        return {key: _member(key, each, processes) for key, each in kept.items()}
    if isinstance(value, list):
        return sorted(
            (_canonical(each, processes) for each in value), key=lambda each: json.dumps(each, sort_keys=True)
        )
    return value


def _member(key: str, value: Any, processes: Mapping[str, Any] | None) -> Any:
    if key == "processID" and processes:
        return _canonical(processes[value])
    return _canonical(value, processes)
