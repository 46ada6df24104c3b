from collections.abc import Iterator
from typing import Any

import pytest

from observability import semconv
from services.gateway.baggage import ForeignBaggage
from tests.unit.chassis.recording import Recording
from tests.unit.chassis.recording import recording as recording_

TESTER = (b"x-api-key", b"tester")
STRANGER = (b"x-api-key", b"stranger")


@pytest.fixture
def recording() -> Iterator[Recording]:
    with recording_() as running:
        yield running


async def passed_on(recording: Recording, *headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The headers of a request as they go on from the step."""
    seen: list[tuple[bytes, bytes]] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        seen.extend(scope["headers"])

    step = ForeignBaggage(inner, lambda found: found["x-api-key"] == "tester", recording.telemetry.metrics)
    await step({"type": "http", "headers": list(headers)}, None, None)  # type: ignore[arg-type]  # nobody receives or sends
    return seen


async def test_a_request_without_baggage_goes_on_as_it_is_and_counts_nothing(recording: Recording) -> None:
    assert await passed_on(recording, STRANGER) == [STRANGER]
    assert recording.count(semconv.BAGGAGE_STRIPPED) == 0


async def test_a_strangers_baggage_is_taken_whatever_it_is_called(recording: Recording) -> None:
    assert await passed_on(recording, STRANGER, (b"baggage", b"faultline.who=me,a=b")) == [STRANGER]
    assert recording.count(semconv.BAGGAGE_STRIPPED) == 1


@pytest.mark.parametrize(
    ("lines", "kept", "counted"),
    [
        ([b"faultline.who=me"], b"faultline.who=me", 0),
        ([b"a=b, faultline.who=me ,c=d"], b"faultline.who=me", 1),
        ([b"faultline.who=me", b"faultline.what=this,a=b"], b"faultline.who=me,faultline.what=this", 1),
        ([b"faultlines=1"], None, 1),
        ([b"a=faultline.who=me"], None, 1),
        ([b""], None, 0),
    ],
)
async def test_who_may_inject_keeps_what_scopes_faults_and_nothing_else(
    recording: Recording, lines: list[bytes], kept: bytes | None, counted: int
) -> None:
    found = await passed_on(recording, TESTER, *((b"baggage", line) for line in lines))
    assert found == [TESTER, *([(b"baggage", kept)] if kept else [])]
    assert recording.count(semconv.BAGGAGE_STRIPPED) == counted


async def test_what_is_no_request_is_let_through(recording: Recording) -> None:
    seen: list[str] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    step = ForeignBaggage(inner, lambda _: False, recording.telemetry.metrics)
    await step({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # nobody receives or sends
    assert seen == ["lifespan"]
