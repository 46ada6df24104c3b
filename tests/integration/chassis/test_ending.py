import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest

from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from tests.integration.chassis.processes import Toy, eventually, toy

IN_FLIGHT = 20


@pytest.fixture
def lifeline() -> Iterator[tuple[int, int]]:
    """A pipe: the end a process is given, and the end that its supervisor holds."""
    reading, writing = os.pipe()
    yield reading, writing
    for fd in (reading, writing):
        try:
            os.close(fd)
        except OSError:
            continue


async def status_of(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as answer:
        await answer.read()
        return answer.status


async def json_of(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as answer:
        return await answer.json()


async def begun(session: aiohttp.ClientSession, running: Toy, number: int) -> None:
    async def check() -> None:
        assert await json_of(session, running.url("HTTP_PORT") + "/begun") == number

    await eventually(check)


async def draining(session: aiohttp.ClientSession, running: Toy) -> None:
    async def check() -> None:
        found = await json_of(session, running.url("ADMIN_PORT") + "/readyz")
        assert found["checks"] == {"running": "starting or draining"}

    await eventually(check)


async def test_work_in_flight_is_finished_before_the_process_ends(tmp_path: Path) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    with toy(tmp_path) as running:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            grpc.aio.insecure_channel(running.target) as ch,
        ):
            await running.ready()
            payments = PaymentsStub(ch)
            http = [
                asyncio.create_task(status_of(session, running.url("HTTP_PORT") + "/work")) for _ in range(IN_FLIGHT)
            ]
            rpcs = [payments.GetPayment(pb.GetPaymentRequest()) for _ in range(IN_FLIGHT)]
            await begun(session, running, 2 * IN_FLIGHT)
            running.end()
            await draining(session, running)
            assert running.process.poll() is None
            running.release()
            assert await asyncio.gather(*http) == [200] * IN_FLIGHT
            assert [await rpc for rpc in rpcs] == [pb.GetPaymentResponse(payment=pb.Payment())] * IN_FLIGHT
            assert await running.ended() == 0
        assert [line["message"] for line in running.log_lines] == ["ready", "draining"]
        assert running.errors == ""


async def test_work_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    with toy(tmp_path, DRAIN_TIMEOUT_S="0.3") as running:
        async with aiohttp.ClientSession() as session, grpc.aio.insecure_channel(running.target) as channel:
            await running.ready()
            http = asyncio.create_task(status_of(session, running.url("HTTP_PORT") + "/work"))
            rpc = PaymentsStub(channel).GetPayment(pb.GetPaymentRequest())
            await begun(session, running, 2)
            running.end()
            assert await running.ended() == 0
            assert (await asyncio.gather(http, return_exceptions=True))[0] in (500, http.exception())
            assert await rpc.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert "drain cut off after 0.3 s; what was in flight is lost" in [
            each["message"] for each in running.log_lines
        ]


async def test_a_process_ends_with_its_lifeline(tmp_path: Path, lifeline: tuple[int, int]) -> None:
    reading, writing = lifeline
    with toy(tmp_path, keep_open=(reading,), LIFELINE_FD=str(reading)) as running:
        await running.ready()
        os.close(writing)
        assert await running.ended() == 0
        assert [line["message"] for line in running.log_lines] == ["ready", "draining"]


async def test_even_with_a_blocked_event_loop(tmp_path: Path, lifeline: tuple[int, int]) -> None:
    reading, writing = lifeline
    with toy(tmp_path, keep_open=(reading,), LIFELINE_FD=str(reading), DRAIN_TIMEOUT_S="0.1") as running:
        async with aiohttp.ClientSession() as session:
            await running.ready()
            blocking = asyncio.create_task(status_of(session, running.url("HTTP_PORT") + "/block?seconds=60"))

            async def blocked() -> None:
                found = await json_of(session, running.url("ADMIN_PORT") + "/healthz")
                assert found["event_loop_lag_s"] > 0.3

            await eventually(blocked)
            os.close(writing)
            assert await running.ended() == 1
            await asyncio.gather(blocking, return_exceptions=True)
