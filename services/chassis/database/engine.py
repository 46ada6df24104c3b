"""The engine of either kind of database."""

from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from observability.telemetry import Telemetry
from services.chassis.database import postgresql, sqlite
from services.chassis.database.options import DatabaseOptions

POSTGRESQL = "postgresql"
SQLITE = "sqlite"

_START_TIMEOUT = 30.0  # seconds that the tables may take to be made, or another replica to have made them
_TABLES_LOCK = 7_026_381  # any number will do, as long as every replica takes the same


def create(url: str, name: str, options: DatabaseOptions, telemetry: Telemetry) -> AsyncEngine:
    """An engine that connects when it is first used. `name` is that of the database in telemetry where it has none."""
    parsed = make_url(url)
    create_ = sqlite.create if parsed.get_backend_name() == SQLITE else postgresql.create
    made = create_(parsed, name, options)
    _trace(made, telemetry)
    return made


def reader(engine: AsyncEngine) -> AsyncEngine:
    """The same engine and pool; its transactions only read."""
    return engine.execution_options(**{sqlite.READ_ONLY: True, "postgresql_readonly": True})


async def make_tables_alone(connection: AsyncConnection) -> None:
    """Within the transaction that makes the tables: replicas that start together do so one after another."""
    if connection.dialect.name == POSTGRESQL:
        milliseconds = int(_START_TIMEOUT * 1000)
        for limit in ("statement_timeout", "lock_timeout"):
            await connection.execute(text(f"SET LOCAL {limit} = {milliseconds}"))
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_TABLES_LOCK})"))


def _trace(engine: AsyncEngine, telemetry: Telemetry) -> None:
    # Its tracer alone, without the instrumentor: that would also wrap every check-out in a "connect" span.
    tracer = telemetry.tracer_provider.get_tracer("opentelemetry.instrumentation.sqlalchemy")
    usage = telemetry.meter_provider.get_meter("none").create_up_down_counter("none")
    EngineTracer(tracer, engine.sync_engine, usage)  # type: ignore[no-untyped-call]  # it has no types
