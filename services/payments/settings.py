"""The settings of payments."""

from pydantic import Field

from services.chassis.database_settings import DatabaseSettings
from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import Port


class PaymentsSettings(DatabaseSettings):
    """What payments needs besides what every service needs."""

    grpc_port: Port = Field(description="Port of the gRPC listener.")
    database_url: DatabaseUrl = Field(description="Where payments are kept, as an SQLAlchemy URL. No default.")
    provider_concurrency: int = Field(
        16, ge=1, le=10_000, description="Calls that the simulated card provider serves at a time."
    )
    provider_latency_ms: float = Field(
        20.0,
        ge=0,
        le=60_000,
        description="Milliseconds each call of the simulated card provider takes, ten times as long for pm_card_slow.",
    )
