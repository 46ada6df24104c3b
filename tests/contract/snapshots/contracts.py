"""Which contracts are kept, where, and how each is read from the code as it is now."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.json_format import MessageToDict, ParseDict

from observability.telemetry import TelemetryConfig, start
from services.contracts.inventory.v1 import inventory_pb2
from services.contracts.money.v1 import money_pb2
from services.contracts.payments.v1 import payments_pb2
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.bootstrap import create_app
from services.gateway.ports import Dependencies
from services.gateway.settings import GatewaySettings
from tests.contract.snapshots.change import Change
from tests.contract.snapshots.openapi_changes import openapi_changes
from tests.contract.snapshots.proto_changes import proto_changes
from tests.fakes.public import MemoryCatalogue, MemoryPublicOrders
from tests.fakes.shop import shop

KEPT: Final = Path(__file__).parent / "kept"


@dataclass(frozen=True)
class Contract:
    """`now` reads it from the code, as JSON; `compare` says what of a change from the first to the second breaks."""

    name: str
    file: Path
    now: Callable[[], dict[str, Any]]
    compare: Callable[[dict[str, Any], dict[str, Any]], Sequence[Change]]

    def kept(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return document

    def keep(self) -> None:
        """Replaces what is kept by what is now."""
        self.file.write_text(json.dumps(self.now(), indent=1, ensure_ascii=False) + "\n", "utf-8")


def public_document() -> dict[str, Any]:
    """The public API's document, as the gateway serves it."""
    telemetry = start(TelemetryConfig("snapshots", "0", "snapshots-1", otlp_endpoint=None), log_stream=io.StringIO())
    try:
        it = shop()
        deps = Dependencies(MemoryCatalogue(it.inventory_peer.deps), MemoryPublicOrders(it.deps))
        return create_app(deps, telemetry, ApiKeyAuthenticator([]), GatewaySettings.model_construct()).openapi()
    finally:
        telemetry.shutdown()


def _proto(name: str, descriptor: FileDescriptor) -> Contract:
    def now() -> dict[str, Any]:
        described = FileDescriptorProto()
        descriptor.CopyToProto(described)
        return MessageToDict(described)

    def compare(old: dict[str, Any], new: dict[str, Any]) -> Sequence[Change]:
        return proto_changes(*(ParseDict(each, FileDescriptorProto()) for each in (old, new)))

    return Contract(f"the proto {name}", KEPT / f"{name}.proto.json", now, compare)


CONTRACTS: Final = (
    Contract("the public API, version 1", KEPT / "openapi.v1.json", public_document, openapi_changes),
    _proto("inventory.v1", inventory_pb2.DESCRIPTOR),
    _proto("money.v1", money_pb2.DESCRIPTOR),
    _proto("payments.v1", payments_pb2.DESCRIPTOR),
)
