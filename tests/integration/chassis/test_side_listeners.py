import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.integration.chassis.processes import TOKEN, Toy, eventually, toy


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    with toy(tmp_path_factory.mktemp("toy")) as process:
        yield process


@pytest.fixture
async def ready(running: Toy) -> Toy:
    await running.ready()
    return running


async def get(url: str, **headers: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_admin_answers_while_the_event_loop_is_blocked_and_shows_how_long(ready: Toy) -> None:
    blocking = asyncio.create_task(get(ready.url("HTTP_PORT") + "/block?seconds=1.5"))
    lags: list[float] = []

    async def grows() -> None:
        status, found = await get(ready.url("ADMIN_PORT") + "/healthz")
        assert (status, found["status"]) == (200, "alive")
        lags.append(found["event_loop_lag_s"])
        assert lags[-1] > 0.7

    await eventually(grows)
    assert not blocking.done()
    rising = lags[next(index for index, lag in enumerate(lags) if lag > 0.1) :]
    assert rising == sorted(rising)
    assert len(rising) > 2
    await blocking

    async def settles() -> None:
        _, found = await get(ready.url("ADMIN_PORT") + "/healthz")
        assert found["event_loop_lag_s"] < 0.1

    await eventually(settles)


async def test_admin_says_that_it_is_ready(ready: Toy) -> None:
    assert await get(ready.url("ADMIN_PORT") + "/readyz") == (200, {"ready": True, "checks": {"running": "ok"}})


async def test_admin_shows_metrics(ready: Toy) -> None:
    async with aiohttp.ClientSession() as session, session.get(ready.url("ADMIN_PORT") + "/metrics") as answer:
        text = await answer.text()
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "faultline_event_loop_lag_seconds " in text
    assert "faultline_build_info{" in text


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": ""}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}x"}]
)
async def test_control_refuses_who_does_not_bear_the_token_and_logs_it(ready: Toy, headers: dict[str, str]) -> None:
    before = len(ready.log_lines)
    for path in ("/policies", "/nowhere"):
        status, _ = await get(ready.url("CONTROL_PORT") + path, **headers)
        assert status == 401
    logged = ready.log_lines[before:]
    assert [(line["level"], line["path"]) for line in logged] == [("WARNING", "/policies"), ("WARNING", "/nowhere")]
    assert TOKEN not in str(logged)


async def test_control_lists_the_policies_to_who_bears_it(ready: Toy) -> None:
    answer = await get(ready.url("CONTROL_PORT") + "/policies", Authorization=f"Bearer {TOKEN}")
    timeouts = {"in_force": True, "attempt_timeout_s": 1.0}
    assert answer == (200, {"toy/peer": {"kind": "rest", "preset": "full", "policies": {"timeouts": timeouts}}})
