"""Whatever bytes a caller sends to the gRPC services: an answer, or a refusal by the error catalogue."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # ships no types
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from hypothesis import given, settings

from deploy.system import System
from services.contracts.errors import CATALOGUE, DOMAIN, ErrorEntry
from services.contracts.inventory.v1 import inventory_pb2
from services.contracts.payments.v1 import payments_pb2
from tests.conftest import Counts
from tests.e2e.running import log_lines
from tests.e2e.tally import PATIENCE, Tally, check_refused
from tests.wire import requests

HANG_S = 60.0
OVERLOADED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
BY_REASON = {entry.reason: entry for entry in CATALOGUE.values()}
SERVICES = {
    "inventory": inventory_pb2.DESCRIPTOR.services_by_name["Inventory"],
    "payments": payments_pb2.DESCRIPTOR.services_by_name["Payments"],
}
METHODS = [method for service in SERVICES.values() for method in service.methods]
CALLER = (("x-user-id", "generated"), ("x-client-id", "tests"), ("x-scopes", "orders:write products:read"))


class Server:
    """One service's server, asked in bytes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel, self.tally = channel, Tally()

    def ask(self, method: MethodDescriptor, sent: bytes) -> bytes | ErrorEntry:
        """The answer, or the row of the catalogue by which it was refused."""
        call: Any = self.channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}")
        self.tally.sent += 1
        for number in range(PATIENCE):
            self.tally.repeated += number == 1
            try:
                answer: bytes = call(bytes(sent), timeout=HANG_S, metadata=CALLER)
            except grpc.RpcError as error:
                refusal: Any = error
                if refusal.code() not in OVERLOADED:
                    self.tally.refused += 1
                    return catalogued(refusal)
            else:
                return answer
        raise AssertionError(f"{refusal.code()} each time: {refusal.details()}")


def catalogued(refusal: Any) -> ErrorEntry:
    """The catalogue's row, proven to be told as it must be."""
    status: Any = rpc_status.from_call(refusal)
    assert status is not None, f"{refusal.code()} without a reason: {refusal.details()}"
    info = error_details_pb2.ErrorInfo()
    assert any(part.Unpack(info) for part in status.details)
    assert info.domain == DOMAIN
    entry = BY_REASON[info.reason]
    assert refusal.code().name == entry.grpc_status
    assert entry.http_status < 500, f"{entry.slug}: {refusal.details()}"
    assert "Traceback" not in refusal.details()
    return entry


@pytest.fixture(scope="module")
def servers(own_system: System) -> Iterator[dict[str, Server]]:
    """Full service name → its server."""
    channels = {
        service.full_name: grpc.insecure_channel(own_system.url(f"{name}-1", "GRPC_PORT").removeprefix("http://"))
        for name, service in SERVICES.items()
    }
    made = {name: Server(channel) for name, channel in channels.items()}
    yield made
    for channel in channels.values():
        channel.close()
    for name, server in made.items():
        print(f"{name}: {server.tally}")
        server.tally.check_repeated()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.removeprefix("faultline."))
def test_whatever_is_sent_is_answered_or_refused(
    method: MethodDescriptor, servers: dict[str, Server], counts: Counts
) -> None:
    server = servers[method.containing_service.full_name]
    answers = message_factory.GetMessageClass(method.output_type)

    @settings(max_examples=counts(40, 1_200), deadline=None)
    @given(sent=requests(method))
    def ask(sent: bytes) -> None:
        answer = server.ask(method, sent)
        if isinstance(answer, bytes):
            answers.FromString(answer)

    ask()
    server.tally.parts += 1


@pytest.mark.long
def test_most_of_it_was_bad(servers: dict[str, Server], counts: Counts) -> None:
    check_refused([server.tally for server in servers.values()], len(METHODS), counts)


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_refused_was_no_defect(service: str, own_system: System, servers: dict[str, Server]) -> None:
    for method in SERVICES[service].methods:
        refused = servers[method.containing_service.full_name].ask(method, b"\x0a\x05cut")
        assert refused == CATALOGUE["malformed-request"]
    lines = log_lines(own_system, service)
    assert lines
    assert not [line for line in lines if line["level"] == "ERROR" or "exception.stacktrace" in line]


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_too_large_is_refused(service: str, servers: dict[str, Server]) -> None:
    method = SERVICES[service].methods[0]
    call: Any = servers[method.containing_service.full_name].channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}"
    )
    with pytest.raises(grpc.RpcError) as refused:
        call(b"\x0a" * (2 << 20), timeout=HANG_S)
    found: Any = refused.value
    assert found.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("service", SERVICES)
def test_a_stranger_can_find_out_what_is_served(service: str, servers: dict[str, Server]) -> None:
    """By reflection alone, as grpcurl does it: the services, their methods, and the shape of their messages."""
    ours = SERVICES[service]
    database: Any = ProtoReflectionDescriptorDatabase(servers[ours.full_name].channel)
    assert set(database.get_services()) == {
        ours.full_name,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    found = descriptor_pool.DescriptorPool(database).FindServiceByName(ours.full_name)
    assert [method.name for method in found.methods] == [method.name for method in ours.methods]
    for theirs, known in zip(found.methods, ours.methods, strict=True):
        assert [field.name for field in theirs.input_type.fields] == [field.name for field in known.input_type.fields]
