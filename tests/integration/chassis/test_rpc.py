import asyncio
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import HealthCheck, given, settings

from observability import semconv
from services.chassis.errors import PeerFailedError, PortTakenError, ProblemError
from services.chassis.principal import Principal, from_metadata
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1 import payments_pb2 as pb
from tests.integration.chassis import rpc_toy
from tests.integration.chassis.peers import rpc_client
from tests.integration.chassis.ports import HOST, free_port, taken_port
from tests.integration.chassis.rpc_toy import PAYMENTS, Context, served
from tests.unit.chassis.recording import Recording
from tests.unit.chassis.test_problems import content
from tests.unit.chassis.test_rpc_status import any_refusal

PRINCIPAL = Principal("user-1", "demo", frozenset({"orders:read", "orders:write"}))
METHOD = f"{PAYMENTS}/GetPayment"
REQUEST = pb.GetPaymentRequest(order_id="o-1")


async def nothing(_: Context) -> None:
    """A handler without work."""


async def test_an_answer_comes_back(recording: Recording) -> None:
    async with served(recording, nothing) as port, rpc_client(recording, port) as (client, stub):
        answer = await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True)
    assert answer.payment.order_id == "o-1"
    assert recording.count(semconv.RPC_CLIENT_CALL_DURATION, METHOD, "payments", "OK", "") == 1
    assert recording.count(semconv.RPC_SERVER_CALL_DURATION, METHOD, "OK") == 1
    assert recording.count(semconv.CALL_DURATION, "payments", "GetPayment", "success") == 1


async def test_the_principal_is_sent(recording: Recording) -> None:
    seen: list[Principal | None] = []

    async def note(context: Context) -> None:
        metadata = context.invocation_metadata() or ()
        seen.append(from_metadata({key: value for key, value in metadata if isinstance(value, str)}))

    async with served(recording, note) as port, rpc_client(recording, port) as (client, stub):
        await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True, principal=PRINCIPAL)
        await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True)
    assert seen == [PRINCIPAL, None]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(problem=any_refusal)
def test_a_problem_crosses_the_wire_whole(recording: Recording, problem: ProblemError) -> None:
    async def refuse(_: Context) -> None:
        raise problem

    async def ask() -> None:
        async with served(recording, refuse) as port, rpc_client(recording, port) as (client, stub):
            await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True)

    with pytest.raises((ProblemError, PeerFailedError)) as caught:
        asyncio.run(ask())
    arrived: Any = caught.value.problem if isinstance(caught.value, PeerFailedError) else caught.value
    assert content(arrived) == content(problem)
    assert isinstance(caught.value, PeerFailedError) == (CATALOGUE[problem.slug].http_status >= 500)


async def test_a_refusal_may_name_many_fields(recording: Recording) -> None:
    problem = ProblemError("validation-failed", "x" * 1000, extensions={f"line_{n}": "y" * 100 for n in range(200)})

    async def refuse(_: Context) -> None:
        raise problem

    async with served(recording, refuse) as port, rpc_client(recording, port) as (client, stub):
        with pytest.raises(ProblemError) as caught:
            await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True)
    assert content(caught.value) == content(problem)


async def test_reflection(recording: Recording) -> None:
    async with served(recording, nothing) as port, grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        untyped: Any = channel  # the stub's types are those of the blocking API
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(untyped)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        [answer] = [each async for each in stub.ServerReflectionInfo(iter([ask]))]
    names = {each.name for each in answer.list_services_response.service}
    assert names == {PAYMENTS, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_taken_port_is_named(recording: Recording) -> None:
    with taken_port() as port:
        running = rpc_toy.server(recording, nothing, port)
        with pytest.raises(PortTakenError, match=f"GRPC_PORT={port}"):
            await running.start()
        await running.stop()


async def test_so_is_one_that_another_took_while_we_looked(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nothing:
        def close(self) -> None: ...

    monkeypatch.setattr("services.chassis.rpc.server.bind", lambda *_: Nothing())
    with taken_port() as port:
        running = rpc_toy.server(recording, nothing, port)
        with pytest.raises(PortTakenError, match=f"GRPC_PORT={port}"):
            await running.start()
        await running.stop()


async def test_a_drain_lets_calls_in_flight_finish_and_takes_no_more(recording: Recording) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def work(_: Context) -> None:
        begun.set()
        await release.wait()

    running = rpc_toy.server(recording, work, port := free_port())
    await running.start()
    async with rpc_client(recording, port) as (client, stub):
        call = asyncio.create_task(client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True))
        await begun.wait()
        drained = asyncio.create_task(running.drain())
        async with grpc.aio.insecure_channel(f"{HOST}:{port}") as another:
            # The state waited on is the one looked at: a change in between would else be waited out for minutes.
            while (state := another.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                await another.wait_for_state_change(state)
        assert not drained.done()
        release.set()
        assert (await call).payment.order_id == "o-1"
        await drained
    await running.stop()
