"""Faults of a whole process, and their healing over its control listener."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.integration.chassis.processes import Toy, eventually, toy
from tests.integration.faults.control_client import ControlClient

MIB = 1 << 20
HELD_MIB = 96
BURNT_S = 0.5


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Toy]:
    with toy(tmp_path, FAULT_INJECTION_ENABLED="true") as process:
        await process.ready()
        yield process


@pytest.fixture
def control(running: Toy) -> ControlClient:
    return ControlClient(running.url("CONTROL_PORT"))


async def lag(running: Toy) -> float:
    _, document = await ControlClient(running.url("ADMIN_PORT")).ask("GET", "/healthz")
    return float(document["event_loop_lag_s"])


async def assert_blocked(running: Toy) -> None:
    assert await lag(running) > 0.7


async def answers(running: Toy) -> None:
    """Returns once a request is served again."""
    assert (await ControlClient(running.url("HTTP_PORT")).ask("GET", "/begun"))[0] == 200


async def over(running: Toy, fault_id: str) -> None:
    """Returns once the process says that the fault has ended, and not only that it is not in force."""

    async def check() -> None:
        told = [line["message"] for line in running.log_lines if line.get("faultline.fault.id") == fault_id]
        assert "fault of the process is over" in told

    await eventually(check)


async def test_a_blocked_event_loop_is_healed_over_the_control_listener(running: Toy, control: ControlClient) -> None:
    fault_id = await control.add("event-loop-block", ttl_s=60)
    await eventually(lambda: assert_blocked(running))
    waiting = asyncio.create_task(answers(running))
    assert await control.in_force() == [fault_id]
    assert not waiting.done()
    await control.ask("DELETE", f"/faults/{fault_id}")
    await waiting
    await over(running, fault_id)


async def test_a_blocked_event_loop_goes_on_at_its_time(running: Toy, control: ControlClient) -> None:
    fault_id = await control.add("event-loop-block", ttl_s=5)
    await eventually(lambda: assert_blocked(running))
    await answers(running)
    await over(running, fault_id)
    assert await control.in_force() == []


async def test_a_core_is_burnt_until_it_is_taken_back_while_requests_are_served(
    running: Toy, control: ControlClient
) -> None:
    process = psutil.Process(running.process.pid)
    before = process.cpu_times().user
    fault_id = await control.add("cpu-burn", ttl_s=60)

    async def burnt() -> None:
        assert process.cpu_times().user - before > BURNT_S

    await eventually(burnt, within=60)
    await answers(running)
    await control.ask("DELETE", "/faults")
    await over(running, fault_id)


async def test_memory_is_held_and_given_back(running: Toy, control: ControlClient) -> None:
    process = psutil.Process(running.process.pid)
    before = process.memory_info().rss
    fault_id = await control.add("memory-hold", ttl_s=60, parameters={"mib": HELD_MIB})

    async def held() -> None:
        assert process.memory_info().rss - before > 0.9 * HELD_MIB * MIB

    async def given_back() -> None:
        assert process.memory_info().rss - before < 0.3 * HELD_MIB * MIB

    await eventually(held)
    await answers(running)
    await control.ask("DELETE", f"/faults/{fault_id}")
    await over(running, fault_id)
    await eventually(given_back)


async def test_a_touch_of_the_process_is_counted(control: ControlClient) -> None:
    await control.add("cpu-burn", ttl_s=60, parameters={"share": 0.01})

    async def counted() -> None:
        _, shown = await control.ask("GET", "/faults")
        assert shown["faults"][0]["touched"] == 1

    await eventually(counted)
