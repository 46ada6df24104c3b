import asyncio
import contextlib

import pytest
from opentelemetry import baggage
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, StatusCode

from observability import semconv
from services.chassis.errors import FaultlineError, ProblemError
from services.contracts.payments.v1 import payments_pb2 as pb
from tests.integration.chassis.peers import rpc_client
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.rpc_toy import PAYMENTS, Context, Handler, served
from tests.unit.chassis.recording import Recording, attributes_of, id_of, trace_of

METHOD = f"{PAYMENTS}/GetPayment"
BOTH = {"rpc.system.name": "grpc", "rpc.method": METHOD}


async def nothing(_: Context) -> None:
    """A handler without work."""


def raises(error: Exception) -> Handler:
    async def handle(_: Context) -> None:
        raise error

    return handle


async def ask(recording: Recording, handle: Handler) -> None:
    async with served(recording, handle) as port, rpc_client(recording, port) as (client, stub):
        with contextlib.suppress(FaultlineError):
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)


async def test_the_server_continues_the_attempt_and_the_attempt_the_call(recording: Recording) -> None:
    await ask(recording, nothing)
    server, attempt, call = recording.spans
    assert (call.kind, attempt.kind, server.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.SERVER)
    assert (call.name, attempt.name, server.name) == ("payments GetPayment", METHOD, METHOD)
    assert call.parent is None
    assert attempt.parent
    assert server.parent
    assert (attempt.parent.span_id, server.parent.span_id) == (id_of(call), id_of(attempt))
    assert trace_of(call) == trace_of(attempt) == trace_of(server)


async def test_both_sides_have_the_stable_names(recording: Recording) -> None:
    await ask(recording, nothing)
    server, attempt, _ = recording.spans
    assert attributes_of(server) == {**BOTH, "rpc.response.status_code": "OK"}
    assert attributes_of(attempt) == {
        **BOTH,
        "rpc.response.status_code": "OK",
        "faultline.callee": "payments",
        "faultline.attempt": 1,
        "server.address": HOST,
        "server.port": attributes_of(attempt)["server.port"],
    }


@pytest.mark.parametrize(
    ("error", "code", "on_the_server", "at_the_caller"),
    [
        (ProblemError("payment-declined"), "FAILED_PRECONDITION", StatusCode.UNSET, StatusCode.UNSET),
        (ProblemError("payment-not-found"), "NOT_FOUND", StatusCode.UNSET, StatusCode.UNSET),
        (ProblemError("too-many-requests"), "RESOURCE_EXHAUSTED", StatusCode.UNSET, StatusCode.UNSET),
        (ProblemError("payment-provider-failed"), "UNAVAILABLE", StatusCode.ERROR, StatusCode.ERROR),
        (ZeroDivisionError(), "INTERNAL", StatusCode.ERROR, StatusCode.ERROR),
    ],
)
async def test_the_outcome_table_decides_what_is_an_error(
    recording: Recording, error: Exception, code: str, on_the_server: StatusCode, at_the_caller: StatusCode
) -> None:
    await ask(recording, raises(error))
    # An abort answers before the server's span has ended: the order is anybody's guess.
    call, server, attempt = sorted(recording.spans, key=lambda span: span.kind.value)
    assert server.status.status_code is on_the_server
    assert attempt.status.status_code is call.status.status_code is at_the_caller
    assert (
        attributes_of(server)["rpc.response.status_code"] == attributes_of(attempt)["rpc.response.status_code"] == code
    )
    if isinstance(error, ProblemError):
        assert attributes_of(server)["faultline.problem"] == error.slug
        assert not server.events
    else:
        assert [event.name for event in server.events] == ["exception"]


async def test_an_attempt_that_got_no_answer_is_an_error(recording: Recording) -> None:
    async with rpc_client(recording, free_port()) as (client, stub):
        with pytest.raises(FaultlineError):
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)
    attempt, call = recording.spans
    assert attempt.status.status_code is call.status.status_code is StatusCode.ERROR
    assert attributes_of(attempt)["error.type"] == "PeerUnavailableError"


async def test_an_attempt_that_was_given_up_is_an_error(recording: Recording) -> None:
    async def hang(_: Context) -> None:
        await asyncio.Event().wait()

    async with served(recording, hang) as port, rpc_client(recording, port, attempt_timeout=0.05) as (client, stub):
        with pytest.raises(FaultlineError):
            await client.call("GetPayment", stub.GetPayment, pb.GetPaymentRequest(), idempotent=True)
    attempt = next(span for span in recording.spans if span.kind is SpanKind.CLIENT)
    assert attempt.status.status_code is StatusCode.ERROR
    assert attributes_of(attempt)["rpc.response.status_code"] == "DEADLINE_EXCEEDED"
    assert attributes_of(attempt)["error.type"] == "AttemptTimeoutError"


async def test_baggage_crosses(recording: Recording) -> None:
    seen: list[object] = []

    async def note(_: Context) -> None:
        seen.append(baggage.get_baggage("experiment"))

    token = attach(baggage.set_baggage("experiment", "latency-1"))
    try:
        await ask(recording, note)
    finally:
        detach(token)
    assert seen == ["latency-1"]


async def test_a_slow_bucket_leads_to_its_trace(recording: Recording) -> None:
    await ask(recording, nothing)
    body, _ = recording.telemetry.metrics.exposition("application/openmetrics-text; version=1.0.0")
    buckets = f"{semconv.RPC_SERVER_CALL_DURATION.prometheus_name}_bucket"
    lines = [line for line in body.decode().splitlines() if line.startswith(buckets) and " # {" in line]
    assert lines
    assert trace_of(recording.spans[0]) in lines[0]
