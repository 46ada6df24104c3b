import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from observability import semconv
from services.chassis.errors import (
    AttemptTimeoutError,
    CallError,
    DeadlineExceededError,
    MalformedAnswerError,
    PeerFailedError,
    PeerUnavailableError,
)
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.rpc.client import RpcClient
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from tests.integration.chassis.peers import GRPC, Behaviour, raw_peer, rpc_client, seam
from tests.integration.chassis.ports import free_port
from tests.integration.chassis.processes import eventually
from tests.integration.chassis.rpc_toy import PAYMENTS, Context, served
from tests.unit.chassis.recording import Recording, attributes_of

METHOD = f"{PAYMENTS}/GetPayment"
CLIENT = semconv.RPC_CLIENT_CALL_DURATION
SERVER = semconv.RPC_SERVER_CALL_DURATION


class Hanging:
    """A handler that works for ever, and notes how it ended."""

    def __init__(self) -> None:
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()
        self.had = 0.0

    async def __call__(self, _: Context) -> None:
        self.had = deadline.current().remaining()
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def nothing(_: Context) -> None:
    """A handler without work."""


async def ask(recording: Recording, port: int, attempt_timeout: float = 60) -> None:
    async with rpc_client(recording, port, attempt_timeout=attempt_timeout) as (client, stub):
        await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)


async def counted(recording: Recording, code: str) -> None:
    async def check() -> None:
        assert recording.count(SERVER, METHOD, code) == 1, [each.attributes for each in recording.spans]

    await eventually(check)


async def test_a_peer_that_is_not_there(recording: Recording) -> None:
    with pytest.raises(PeerUnavailableError, match="toy → payments GetPayment: UNAVAILABLE") as caught:
        await ask(recording, free_port())
    assert caught.value.retry_after == 1.0
    assert recording.count(CLIENT, METHOD, "payments", "UNAVAILABLE", "PeerUnavailableError") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "payments", "GetPayment", "failure") == 1


async def closes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def answers_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


@pytest.mark.parametrize("behave", [closes, answers_garbage])
async def test_a_peer_that_does_not_speak_grpc(recording: Recording, behave: Behaviour) -> None:
    async with raw_peer(behave) as port:
        with pytest.raises(PeerUnavailableError):
            await ask(recording, port)


async def test_a_peer_without_the_method(recording: Recording) -> None:
    async with served(recording, nothing) as port, rpc_client(recording, port) as (client, _):
        unknown = client.channel.unary_unary(
            "/faultline.payments.v1.Payments/Unknown",
            request_serializer=pb.GetPaymentRequest.SerializeToString,
            response_deserializer=pb.GetPaymentResponse.FromString,
        )
        with pytest.raises(MalformedAnswerError, match="UNIMPLEMENTED"):
            await client.call("Unknown", unknown, pb.GetPaymentRequest(), idempotent=True)


async def test_a_defect_shows_nothing_of_itself(recording: Recording) -> None:
    async def fail(_: Context) -> None:
        raise ZeroDivisionError("secret")

    async with served(recording, fail) as port:
        with pytest.raises(PeerFailedError) as caught:
            await ask(recording, port)
    assert caught.value.slug == "internal"
    assert "secret" not in str(caught.value)
    assert recording.count(SERVER, METHOD, "INTERNAL") == 1
    assert "secret" in recording.logged("unexpected error while serving")["exception.stacktrace"]


PATIENCE: list[tuple[Callable[[], Deadline], float, type[CallError]]] = [
    (lambda: Deadline.after(60), 0.5, AttemptTimeoutError),
    (lambda: Deadline.after(0.5), 60, DeadlineExceededError),
]


@pytest.mark.parametrize(("budget", "attempt_timeout", "error"), PATIENCE)
async def test_a_peer_that_hangs_is_given_up_and_stops(
    recording: Recording, budget: Callable[[], Deadline], attempt_timeout: float, error: type[CallError]
) -> None:
    hanging = Hanging()
    async with served(recording, hanging) as port:
        with deadline.bound(budget()), pytest.raises(error):
            await ask(recording, port, attempt_timeout)
        await asyncio.wait_for(hanging.cancelled.wait(), 5)
        assert 0 < hanging.had <= 0.5, "our limit was its deadline"
        await counted(recording, "DEADLINE_EXCEEDED")
    assert recording.count(CLIENT, METHOD, "payments", "DEADLINE_EXCEEDED", error.__name__) == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "payments", "GetPayment", "failure") == 1


async def test_a_peer_that_never_lets_us_in(recording: Recording) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.Event().wait()

    async with raw_peer(silent) as port:
        with pytest.raises(AttemptTimeoutError):
            await ask(recording, port, attempt_timeout=0.1)


async def test_a_caller_that_goes_away_stops_the_work(recording: Recording) -> None:
    hanging = Hanging()
    async with served(recording, hanging) as port:
        call = asyncio.create_task(ask(recording, port))
        await hanging.begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(hanging.cancelled.wait(), 5)
        await counted(recording, "CANCELLED")
    assert recording.count(CLIENT, METHOD, "payments", "CANCELLED", "CancelledError") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "payments", "GetPayment", "cancelled") == 1


async def test_work_that_a_deadline_of_its_own_ends_is_no_deadline_of_ours(recording: Recording) -> None:
    async def gives_up(_: Context) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    async with served(recording, gives_up) as port:
        with pytest.raises(PeerFailedError) as caught:
            await ask(recording, port)
    assert caught.value.slug == "internal"


async def test_a_spent_deadline_is_not_sent(recording: Recording) -> None:
    hanging = Hanging()
    async with served(recording, hanging) as port:
        with deadline.bound(Deadline.after(0)), pytest.raises(CallError, match="before the call began"):
            await ask(recording, port)
    assert not hanging.begun.is_set()


async def test_a_server_that_is_stopped_cuts_its_work_off(recording: Recording) -> None:
    hanging = Hanging()
    async with served(recording, hanging) as port:
        call = asyncio.create_task(ask(recording, port))
        await hanging.begun.wait()
    with pytest.raises(PeerUnavailableError):
        await call
    assert hanging.cancelled.is_set()


async def test_replicas_are_taken_in_turn_and_a_dead_one_is_left_out(recording: Recording) -> None:
    hits = {"one": 0, "other": 0}

    async def one(_: Context) -> None:
        hits["one"] += 1

    async def other(_: Context) -> None:
        hits["other"] += 1

    async with (
        served(recording, one) as first,
        served(recording, other) as second,
        rpc_client(recording, first, second, free_port()) as (client, stub),
    ):

        async def call() -> None:
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)

        async def both_are_connected() -> None:
            await call()
            assert min(hits.values()) > 0

        await eventually(both_are_connected)
        before = sum(hits.values())
        for _ in range(10):
            await call()
    assert sum(hits.values()) == before + 10
    assert abs(hits["one"] - hits["other"]) <= before


async def test_a_peer_that_comes_back_is_found_quickly(recording: Recording) -> None:
    port = free_port()
    async with rpc_client(recording, port) as (client, stub):

        async def call() -> None:
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)

        async with served(recording, nothing, port):
            await call()
        for _ in range(20):  # long enough for a back-off to have grown
            with pytest.raises(PeerUnavailableError):
                await call()
            await asyncio.sleep(0.02)
        async with served(recording, nothing, port):
            back = time.monotonic()

            async def answers() -> None:
                try:
                    await call()
                except PeerUnavailableError as error:
                    raise AssertionError from error

            await eventually(answers)
            assert time.monotonic() - back < 2.0


async def test_a_name_is_resolved(recording: Recording) -> None:
    async with served(recording, nothing) as port:
        client = RpcClient(PAYMENTS, [f"localhost:{port}"], seam(recording, GRPC, 5), recording.telemetry)
        method = PaymentsStub(client.channel).GetPayment
        await client.call("GetPayment", method, pb.GetPaymentRequest(), idempotent=True)
        await client.stop()


async def test_several_targets_are_given_as_numbers(recording: Recording) -> None:
    with pytest.raises(ValueError, match="several targets must be given as IPv4 addresses, not a:1, b:2"):
        RpcClient(PAYMENTS, ["a:1", "b:2"], seam(recording, GRPC, 5), recording.telemetry)


@pytest.mark.parametrize("sent", [b"\x0a\x05cut", b"\x0a\x02\xff\xfe", b"\xff" * 11], ids=["cut", "not UTF-8", "none"])
async def test_a_message_that_cannot_be_read_is_refused_and_told_like_any_other(
    sent: bytes, recording: Recording
) -> None:
    async with served(recording, nothing) as port, rpc_client(recording, port) as (client, _):
        call: Any = client.channel.unary_unary(f"/{METHOD}")  # in bytes, which its types don't have
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(sent)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        await counted(recording, "INVALID_ARGUMENT")
    assert attributes_of(recording.named(METHOD))[semconv.PROBLEM] == "malformed-request"
    assert not recording.log_lines


async def test_a_peer_that_was_looked_for_too_early_is_found_by_the_first_call(recording: Recording) -> None:
    """As at a system's start, when readiness is asked for before everybody is there."""
    port = free_port()
    async with rpc_client(recording, port) as (client, stub):
        with pytest.raises(PeerUnavailableError):
            await client.check()
        async with served(recording, nothing, port):
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)
