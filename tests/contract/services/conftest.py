"""Telemetry that keeps its spans, and SQLite in a temporary folder."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import MetaData

from observability.telemetry import Telemetry, TelemetryConfig, start
from services.chassis.calls import CallSeam
from services.chassis.database import Database
from services.chassis.edge import Edge
from services.chassis.resilience.pipeline import EdgePolicy
from services.contracts.errors import CATALOGUE

OpenDatabase = Callable[[MetaData], Database]


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

    def make(metadata: MetaData) -> Database:
        seam = CallSeam(Edge("tests", "tests-db", "sql"), EdgePolicy(attempt_timeout=10.0), telemetry, CATALOGUE)
        return Database(f"sqlite+aiosqlite:///{tmp_path}/tests.db", metadata, seam, telemetry)

    return make
