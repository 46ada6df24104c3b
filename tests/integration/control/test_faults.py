"""One fault in all replicas of a service, over their real control listeners."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from chaos.control import AwayError, Fault, FaultControl, HttpFaultControl, RefusedError, UnknownTargetError
from chaos.control.target import Instance
from services.chassis.faults.parameters import Fixed
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.control.replicas import Replica, Replicas, served
from tests.unit.chassis.recording import Recording

LATENCY = Fault("payments", "latency", ttl_s=60, parameters={"ms": 500}, experiment="slow-payments")


@asynccontextmanager
async def silent_once(port: int) -> AsyncIterator[int]:
    """A listener before that one, whose first answer is lost."""
    lost: list[bytes] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int((re.findall(rb"content-length: (\d+)", head.lower()) or [b"0"])[0])
        behind, onward = await asyncio.open_connection(HOST, port)
        onward.write(head + await reader.readexactly(length))
        answer = await behind.read(65_536)
        if lost:
            writer.write(answer)
        lost.append(answer)
        onward.close()
        writer.close()

    async with await asyncio.start_server(pass_on, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]
        assert lost[0].startswith(b"HTTP/1.1 201")


@pytest.fixture
async def replicas(recording: Recording) -> AsyncIterator[Replicas]:
    async with served(2, recording) as made:
        yield made


@pytest.fixture
def control(replicas: Replicas) -> FaultControl:
    return HttpFaultControl(replicas.target)


async def test_a_fault_is_one_in_all_replicas(replicas: Replicas, control: FaultControl) -> None:
    placed = await asyncio.to_thread(control.add, LATENCY)
    assert [each.instance for each in placed] == ["payments-1", "payments-2"]
    (fault_id,) = {each.fault_id for each in placed}
    for each in replicas.all:
        (armed,) = each.site.store.active()
        assert armed.fault.fault_id == fault_id
        assert (armed.fault.experiment, armed.fault.parameters) == ("slow-payments", Fixed(500))


async def test_one_replica_can_be_meant_and_a_database(replicas: Replicas, control: FaultControl) -> None:
    await asyncio.to_thread(control.add, replace(LATENCY, service="payments-2"))
    first, second = replicas.all
    assert (len(first.ids), len(second.ids)) == (0, 1)
    await asyncio.to_thread(control.add, replace(LATENCY, service="payments-db"))
    assert [each.fault.service for each in first.site.store.active()] == ["payments-db"]


async def test_everything_that_is_asked_for_arrives(replicas: Replicas, control: FaultControl) -> None:
    asked = replace(LATENCY, operation="Authorize", probability=0.2, baggage=("faultline.who", "me"), fault_id="f-mine")
    placed, _ = await asyncio.to_thread(control.add, asked)
    found, _ = (await asyncio.to_thread(control.in_force)).faults
    for each in (placed, found):
        assert (each.fault_id, each.operation, each.probability) == ("f-mine", "Authorize", 0.2)
        assert (each.baggage, each.ttl_s, each.touched) == (("faultline.who", "me"), 60, 0)
        assert 0 < each.remaining_s <= 60
    assert [each.ids for each in replicas.all] == [["f-mine"], ["f-mine"]]


async def test_touches_are_summed_over_the_replicas(replicas: Replicas, control: FaultControl) -> None:
    placed, _ = await asyncio.to_thread(control.add, LATENCY)
    for number, each in enumerate(replicas.all):
        each.site.store.active()[0].touched = number + 2
    assert (await asyncio.to_thread(control.in_force)).touched(placed.fault_id) == 5


async def test_what_a_replica_refuses_no_replica_has(replicas: Replicas, control: FaultControl) -> None:
    second = replicas.all[1]
    second.site.add({"id": "f-1", "kind": "latency", "parameters": {"ms": 1}, "ttl_s": 60})
    with pytest.raises(RefusedError, match="payments-2: id: 'f-1' is in force already"):
        await asyncio.to_thread(control.add, replace(LATENCY, fault_id="f-1"))
    assert [each.ids for each in replicas.all] == [[], ["f-1"]]


async def test_where_a_replica_is_away_no_replica_has_it(replicas: Replicas, control: FaultControl) -> None:
    first, second = replicas.all
    await second.server.stop()
    with pytest.raises(AwayError, match="payments-2 at http://"):
        await asyncio.to_thread(control.add, LATENCY)
    assert first.ids == []


async def test_who_is_away_is_named_when_faults_are_listed(replicas: Replicas, control: FaultControl) -> None:
    await asyncio.to_thread(control.add, LATENCY)
    await replicas.all[0].server.stop()
    found = await asyncio.to_thread(control.in_force)
    assert [each.instance for each in found.faults] == ["payments-2"]
    assert found.silent == ["payments-1"]


async def test_a_refusal_names_fields_and_choices(control: FaultControl) -> None:
    with pytest.raises(RefusedError) as caught:
        await asyncio.to_thread(control.add, replace(LATENCY, kind="slow-body"))
    assert caught.value.status == 422
    assert caught.value.errors[0][0] == "kind"
    assert "it has latency, blackhole, error" in str(caught.value)


async def test_a_question_whether_a_fault_could_be_changes_nothing(replicas: Replicas, control: FaultControl) -> None:
    for service in ("payments", "payments-2", "payments-db"):
        await asyncio.to_thread(control.check, replace(LATENCY, service=service))
    for changes in ({"kind": "slow-body"}, {"ttl_s": -1}, {"probability": 2}, {"operation": "Refuse"}):
        with pytest.raises(RefusedError, match=f"payments-1: {next(iter(changes))}: ") as caught:
            await asyncio.to_thread(control.check, replace(LATENCY, **changes))
        assert caught.value.status == 422
    assert [each.ids for each in replicas.all] == [[], []]


async def test_who_is_not_there_is_refused_before_anybody_is_asked(replicas: Replicas, control: FaultControl) -> None:
    with pytest.raises(UnknownTargetError, match="there are payments, payments-1, payments-2, payments-db"):
        await asyncio.to_thread(control.add, replace(LATENCY, service="users"))
    assert [each.ids for each in replicas.all] == [[], []]


async def test_a_fault_is_taken_back_everywhere(replicas: Replicas, control: FaultControl) -> None:
    placed, _ = await asyncio.to_thread(control.add, LATENCY)
    await asyncio.to_thread(control.add, replace(LATENCY, service="payments-1"))
    assert await asyncio.to_thread(control.remove, placed.fault_id) == 2
    assert await asyncio.to_thread(control.remove, placed.fault_id) == 0
    assert [len(each.ids) for each in replicas.all] == [1, 0]
    assert await asyncio.to_thread(control.clear) == 1


async def test_a_fault_of_a_service_is_taken_back_though_others_are_away(
    replicas: Replicas, control: FaultControl
) -> None:
    gone = Instance("orders-1", "orders", HOST, {"CONTROL_PORT": free_port()})
    placed, _ = await asyncio.to_thread(control.add, LATENCY)
    among_others = HttpFaultControl(replace(replicas.target, instances=[gone, *replicas.target.instances]))
    assert await asyncio.to_thread(among_others.remove, placed.fault_id, "payments") == 2
    with pytest.raises(AwayError, match="orders-1"):
        await asyncio.to_thread(among_others.remove, placed.fault_id)


async def test_who_refuses_keeps_nobody_else_from_being_asked(replicas: Replicas, recording: Recording) -> None:
    placed, _ = await asyncio.to_thread(HttpFaultControl(replicas.target).add, LATENCY)
    async with served(1, recording, token="a-token-for-others") as strangers:
        both = replace(replicas.target, instances=[*strangers.target.instances, *replicas.target.instances])
        with pytest.raises(RefusedError, match="payments-1"):
            await asyncio.to_thread(HttpFaultControl(both).remove, placed.fault_id)
    assert [each.ids for each in replicas.all] == [[], []]


async def test_where_only_the_answer_was_lost_no_replica_has_it(replicas: Replicas) -> None:
    second = replicas.all[1]
    async with silent_once(second.instance.listeners["CONTROL_PORT"]) as port:
        between = replace(second.instance, listeners={"CONTROL_PORT": port})
        target = replace(replicas.target, instances=[replicas.all[0].instance, between])
        with pytest.raises(AwayError, match="payments-2"):
            await asyncio.to_thread(HttpFaultControl(target).add, LATENCY)
    assert [each.ids for each in replicas.all] == [[], []]


async def test_all_are_taken_back_from_the_others_when_one_is_away(replicas: Replicas, control: FaultControl) -> None:
    await asyncio.to_thread(control.add, LATENCY)
    first, second = replicas.all
    await first.server.stop()
    with pytest.raises(AwayError, match="payments-1"):
        await asyncio.to_thread(control.clear)
    assert second.ids == []


async def test_a_wrong_token_changes_nothing(replicas: Replicas) -> None:
    stranger = HttpFaultControl(Replicas(replicas.all, token="a-token-for-others").target)
    with pytest.raises(RefusedError) as caught:
        await asyncio.to_thread(stranger.add, LATENCY)
    assert caught.value.status == 401
    assert [each.ids for each in replicas.all] == [[], []]


async def test_a_stranger_at_the_address_is_no_control_listener(recording: Recording) -> None:
    replica = Replica(1, recording)

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    port = replica.instance.listeners["CONTROL_PORT"]
    async with await asyncio.start_server(stranger, "127.0.0.1", port):
        with pytest.raises(AwayError, match="status 200, no JSON"):
            await asyncio.to_thread(HttpFaultControl(Replicas([replica]).target).clear)
