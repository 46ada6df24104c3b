"""Telemetry that keeps its spans, and an empty database of either kind."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import MetaData

from observability.telemetry import Telemetry, TelemetryConfig, start
from services.chassis.calls import CallSeam
from services.chassis.database import Database, DatabaseOptions
from services.chassis.edge import Edge
from services.chassis.http.server import HttpServer
from services.chassis.resilience.policy import EdgePolicy
from services.contracts.errors import CATALOGUE
from services.gateway import api_keys, pipeline
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.bootstrap import create_app
from services.gateway.ports import Dependencies
from services.gateway.settings import GatewaySettings
from tests.contract.services.openapi_document import Document
from tests.contract.services.public_api import Api, keys_file
from tests.contract.services.running import HOST, free_port, running
from tests.fakes.public import MemoryCatalogue, MemoryPublicOrders
from tests.fakes.shop import product, shop
from tests.postgresql import NewDatabase

OpenDatabase = Callable[[MetaData], Database]

PATIENT = DatabaseOptions(pool_timeout=30.0, lock_timeout=30.0, statement_timeout=60.0)
"""Bounds that a busy machine doesn't reach."""


@pytest.fixture(scope="session")
def telemetry() -> Iterator[Telemetry]:
    """Of all adapters under test."""
    config = TelemetryConfig("tests", "0", "tests-1", otlp_endpoint=None)
    made = start(config, log_stream=io.StringIO(), span_exporter=InMemorySpanExporter())
    yield made
    made.shutdown()


@pytest.fixture
def sqlite(tmp_path: Path, telemetry: Telemetry) -> OpenDatabase:
    """Makes a Database, not yet started, in a file of its own."""
    return lambda metadata: _database(f"sqlite+aiosqlite:///{tmp_path}/tests.db", metadata, telemetry)


@pytest.fixture
def postgresql_open(postgresql_database: NewDatabase, telemetry: Telemetry) -> OpenDatabase:
    """The same on a server."""
    return lambda metadata: _database(postgresql_database(), metadata, telemetry)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_database(request: pytest.FixtureRequest) -> OpenDatabase:
    """Either of them."""
    return opener(request, request.param)


def opener(request: pytest.FixtureRequest, kind: str) -> OpenDatabase:
    """The one that `kind` names."""
    found: OpenDatabase = request.getfixturevalue({"sqlite": "sqlite", "postgresql": "postgresql_open"}[kind])
    return found


def _database(url: str, metadata: MetaData, telemetry: Telemetry) -> Database:
    seam = CallSeam(Edge("tests", "tests-db", "sql"), EdgePolicy(attempt_timeout=60.0), telemetry, CATALOGUE)
    return Database(url, metadata, seam, telemetry, options=PATIENT)


@pytest.fixture
async def api(telemetry: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """Whatever it answers to a test is to be in its document."""
    port = free_port()
    for name in ("HTTP_PORT", "ADMIN_PORT", "CONTROL_PORT"):
        monkeypatch.setenv(name, str(port))
    monkeypatch.setenv("CONTROL_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("API_KEYS_FILE", str(keys_file(tmp_path)))
    settings = GatewaySettings()
    it = shop(product("p-1"), product("p-2"))
    catalogue = MemoryCatalogue(it.inventory_peer.deps)
    deps = Dependencies(catalogue, MemoryPublicOrders(it.deps))
    keys = ApiKeyAuthenticator(api_keys.read(settings.api_keys_file))
    inner = create_app(deps, telemetry, keys, settings)
    app = pipeline.outside(inner, keys, telemetry.metrics)
    async with running(HttpServer("gateway", app, HOST, port)), aiohttp.ClientSession() as session:
        made = Api(session, f"http://{HOST}:{port}", it, catalogue, document=Document(inner.openapi()))
        yield made
    assert not made.undocumented
