import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from opentelemetry.trace import StatusCode

from observability import semconv
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.site import FaultSite
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.processes import eventually
from tests.integration.chassis.rpc_toy import PAYMENTS, Context, servicers
from tests.integration.faults.asking import LONG_MS, assert_told, set_fault, touched
from tests.unit.chassis.recording import Recording

if TYPE_CHECKING:
    from services.contracts.payments.v1.payments_pb2_grpc import PaymentsAsyncStub  # it exists for types alone

METHOD = f"{PAYMENTS}/Authorize"


class Work:
    """The business code: counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _: Context) -> None:
        self.asked += 1


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def stub(recording: Recording, site: FaultSite, work: Work) -> AsyncIterator["PaymentsAsyncStub"]:
    port = free_port()
    interceptor = ServerInterceptor(recording.telemetry, CATALOGUE, site.grpc(PAYMENTS))
    server = GrpcServer(servicers(work), interceptor, HOST, port)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
            yield PaymentsStub(channel)
    finally:
        await server.stop()


async def authorize(stub: "PaymentsAsyncStub", seconds: float = 60.0, **metadata: str) -> pb.AuthorizeResponse:
    sent = tuple(metadata.items())
    return await stub.Authorize(pb.AuthorizeRequest(order_id="o-1"), timeout=seconds, metadata=sent)


@asynccontextmanager
async def refused(code: grpc.StatusCode) -> AsyncIterator[None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert caught.value.code() is code


async def span_ended(recording: Recording) -> None:
    async def check() -> None:
        assert METHOD in [span.name for span in recording.spans]

    await eventually(check)


async def test_without_a_fault_nothing_is_touched(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    assert (await authorize(stub)).payment.order_id == "o-1"
    assert not site.store


async def test_a_latency_delays_the_answer_and_nothing_else(
    stub: "PaymentsAsyncStub", site: FaultSite, work: Work, recording: Recording
) -> None:
    armed = set_fault(site, "latency", parameters={"ms": 30})
    assert (await authorize(stub)).payment.order_id == "o-1"
    assert work.asked == 1
    await span_ended(recording)
    assert_told(recording, armed, METHOD)
    span = recording.named(METHOD)
    assert span.start_time
    assert span.end_time
    assert span.end_time - span.start_time >= 30_000_000
    assert span.status.status_code is StatusCode.UNSET


async def test_who_waits_goes_on_when_the_fault_is_taken_back(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    armed = set_fault(site, "latency", parameters={"ms": LONG_MS})
    waiting = asyncio.create_task(authorize(stub))
    await touched(armed)
    assert not waiting.done()
    site.store.clear()
    assert (await waiting).payment.order_id == "o-1"


@pytest.mark.parametrize(("kind", "parameters"), [("latency", {"ms": LONG_MS}), ("blackhole", {})])
async def test_the_deadline_cuts_off_what_waits(
    stub: "PaymentsAsyncStub",
    site: FaultSite,
    work: Work,
    recording: Recording,
    kind: str,
    parameters: dict[str, int],
) -> None:
    armed = set_fault(site, kind, parameters=parameters)
    async with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        await authorize(stub, seconds=0.2)
    await span_ended(recording)
    assert work.asked == 0
    assert_told(recording, armed, METHOD)
    assert recording.count(semconv.RPC_SERVER_CALL_DURATION, METHOD, "DEADLINE_EXCEEDED") == 1


async def test_a_blackhole_answers_when_its_time_is_over(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    set_fault(site, "blackhole", ttl_s=0.2)
    assert (await authorize(stub)).payment.order_id == "o-1"


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"])
async def test_an_error_is_answered_as_the_services_own(
    stub: "PaymentsAsyncStub", site: FaultSite, work: Work, recording: Recording, code: str
) -> None:
    armed = set_fault(site, "error", parameters={"code": code})
    async with refused(grpc.StatusCode[code]):
        await authorize(stub)
    await span_ended(recording)
    assert work.asked == 0
    assert_told(recording, armed, METHOD)
    assert recording.count(semconv.RPC_SERVER_CALL_DURATION, METHOD, code) == 1


async def test_a_code_that_cannot_be_answered_is_refused(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    await authorize(stub)
    choices = "INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED"
    with pytest.raises(FaultRefusedError, match=f"parameters.code: there is no 'OK'; there are {choices}"):
        set_fault(site, "error", parameters={"code": "OK"})
    assert not site.store


@pytest.mark.parametrize("kind", ["slow-body", "malformed-body"])
async def test_what_only_http_has_is_refused(stub: "PaymentsAsyncStub", site: FaultSite, kind: str) -> None:
    await authorize(stub)
    with pytest.raises(FaultRefusedError, match=f"toy \\(process/grpc\\) has no {kind}; it has latency, blackhole"):
        set_fault(site, kind, parameters={"ms": 1})


async def test_one_method_is_hurt_and_the_others_are_not(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    armed = set_fault(site, "error", operation="Capture")
    await authorize(stub)
    async with refused(grpc.StatusCode.UNAVAILABLE):
        await stub.Capture(pb.CaptureRequest(order_id="o-1"))
    assert armed.touched == 1


async def test_only_who_carries_the_baggage_is_hurt(stub: "PaymentsAsyncStub", site: FaultSite) -> None:
    armed = set_fault(site, "error", scope={"baggage": {"faultline.who": "me"}})
    await authorize(stub)
    await authorize(stub, baggage="faultline.who=you")
    async with refused(grpc.StatusCode.UNAVAILABLE):
        await authorize(stub, baggage="faultline.who=me")
    assert armed.touched == 1
