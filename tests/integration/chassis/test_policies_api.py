"""Policies seen and switched at the control listener, which runs in another thread than the calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from observability import semconv
from services.chassis import control, policies_api
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import CircuitOpenError, PeerUnavailableError
from services.chassis.http.server import HttpServer
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.policy import PRESETS, EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from services.chassis.side_thread import SideThread
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.processes import TOKEN
from tests.unit.chassis.recording import Recording

EDGE = Edge("orders", "payments", "grpc")
DECLARED = EdgePolicy(
    attempt_timeout=60.0,
    retry=RetryConfig(base_delay_s=0.0001, max_delay_s=0.0001),
    budget=RetryBudgetConfig(),
    breaker=CircuitBreakerConfig(minimum_calls=1, window_size=1, open_wait_s=60),
)


@dataclass
class Control:
    """The seam, and its policies over HTTP."""

    seam: CallSeam
    url: str
    session: aiohttp.ClientSession
    switched: list[CallSeam]

    async def ask(self, method: str, path: str = "", json: Any = None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.request(method, f"{self.url}/policies{path}", json=json, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def switch(self, **wanted: Any) -> tuple[int, Any]:
        return await self.ask("PUT", "/payments", wanted)


@pytest.fixture
async def running(recording: Recording) -> AsyncIterator[Control]:
    seam = CallSeam(EDGE, DECLARED, recording.telemetry, CATALOGUE)
    port, switched = free_port(), list[CallSeam]()
    app = control.create_app(TOKEN, policies_api.routes([seam], switched.append))
    side = SideThread("control", [HttpServer("control", app, HOST, port, "CONTROL_PORT")])
    await side.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Control(seam, f"http://{HOST}:{port}", session, switched)
    finally:
        await side.stop()


async def fails(attempt: Attempt) -> None:
    raise PeerUnavailableError(EDGE, "Authorize", f"refused {attempt.number}")


async def test_every_edge_is_shown_with_its_policies_and_their_state(running: Control) -> None:
    status, found = await running.ask("GET")
    assert status == 200
    edge = found["orders/payments"]
    assert (edge["kind"], edge["preset"]) == ("grpc", "full")
    assert edge["policies"].keys() == {"timeouts", "retry", "budget", "breaker"}
    assert edge["policies"]["timeouts"] == {"in_force": True, "attempt_timeout_s": 60.0}
    assert edge["policies"]["budget"].items() >= {"in_force": True, "ratio": 0.2, "balance": 0.0}.items()
    assert edge["policies"]["breaker"].items() >= {"in_force": True, "state": "closed", "open_wait_s": 60}.items()


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_preset_is_put_in_force(running: Control, preset: Any) -> None:
    status, found = await running.switch(preset=preset)
    assert (status, found["orders/payments"]["preset"]) == (200, preset)
    in_force = {name for name, each in found["orders/payments"]["policies"].items() if each["in_force"]}
    assert in_force == PRESETS[preset] & DECLARED.names == running.seam.policy.names


async def test_a_switch_is_heard_of_and_a_refusal_is_not(running: Control) -> None:
    await running.switch(preset="off")
    await running.switch(preset="best")
    await running.ask("GET")
    assert running.switched == [running.seam]
    await running.switch(retry=True)
    assert len(running.switched) == 2


async def test_single_policies_are_turned_on_and_off(running: Control) -> None:
    _, found = await running.switch(breaker=False, budget=False)
    assert found["orders/payments"]["preset"] == "retries"
    _, found = await running.switch(timeouts=False)
    assert found["orders/payments"]["preset"] == "custom"
    _, found = await running.switch(breaker=True)
    assert running.seam.policy.names == {"retry", "breaker"}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/nobody", {"preset": "full"}, "payments"),
        ("/payments", {"preset": "best"}, "off, timeouts, retries, budgeted, breaker, full"),
        ("/payments", {"preset": ["full"]}, "off, timeouts, retries, budgeted, breaker, full"),
        ("/payments", {"luck": True}, "timeouts, breaker, retry, budget"),
        ("/payments", {"hedge": True}, "timeouts, breaker, retry, budget"),
        ("/payments", {"retry": "on"}, "true or false"),
        ("/payments", {"retry": False, "luck": True}, "timeouts, breaker, retry, budget"),
        ("/payments", {"preset": "off", "retry": True}, "alone"),
        ("/payments", {}, "preset"),
        ("/payments", ["off"], "preset"),
    ],
)
async def test_what_there_is_not_is_refused_with_what_there_is(
    running: Control, path: str, body: Any, named: str
) -> None:
    status, problem = await running.ask("PUT", path, body)
    assert (status, problem["type"]) == (422, "/problems/validation-failed")
    assert named in problem["detail"]
    assert running.seam.policy == DECLARED, "nothing has changed"


async def test_nobody_switches_without_the_token(running: Control) -> None:
    status, _ = await running.ask("PUT", "/payments", {"preset": "off"}, token="guessed")
    assert status == 401
    assert running.seam.policy == DECLARED


async def test_what_is_switched_is_what_calls_meet(running: Control, recording: Recording) -> None:
    async def attempts(error: type[Exception]) -> int:
        before = recording.count(semconv.CALL_ATTEMPTS, "payments", "Authorize", "failure") or 0
        with pytest.raises(error):
            await running.seam.call("Authorize", fails, idempotent=True)
        return (recording.count(semconv.CALL_ATTEMPTS, "payments", "Authorize", "failure") or 0) - before

    await running.switch(preset="timeouts")
    assert await attempts(PeerUnavailableError) == 1
    await running.switch(preset="retries")
    assert await attempts(PeerUnavailableError) == 3
    await running.switch(preset="breaker")
    assert await attempts(PeerUnavailableError) == 1
    assert await attempts(CircuitOpenError) == 0
    _, found = await running.ask("GET")
    assert found["orders/payments"]["policies"]["breaker"]["state"] == "open"


async def test_switching_while_calls_are_made_harms_none(running: Control) -> None:
    """Each call meets one preset as a whole: one attempt, or three."""

    async def call() -> int:
        made = 0

        async def attempt(each: Attempt) -> None:
            nonlocal made
            made = each.number
            await asyncio.sleep(0)
            await fails(each)

        with pytest.raises(PeerUnavailableError):
            await running.seam.call("Authorize", attempt, idempotent=True)
        return made

    seen: set[int] = set()

    async def calls() -> None:
        while not switched.is_set() or len(seen) < 2:
            seen.add(await call())
            await asyncio.sleep(0)

    switched = asyncio.Event()
    await running.switch(preset="timeouts")
    calling = [asyncio.create_task(calls()) for _ in range(5)]
    for _ in range(20):
        for preset in ("retries", "timeouts"):
            assert (await running.switch(preset=preset))[0] == 200
    await running.switch(preset="retries")
    switched.set()
    await asyncio.gather(*calling)
    assert seen == {1, 3}
