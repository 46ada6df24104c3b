"""The settings of orders."""

from pydantic import Field

from services.chassis.database_settings import DatabaseSettings
from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import GrpcTargets, Port, ServerSpanSetting
from services.orders.pace import Rules


class OrdersSettings(DatabaseSettings):
    """What orders needs besides what every service needs."""

    http_port: Port = Field(description="Port of the HTTP listener.")
    http_server_spans: ServerSpanSetting = "stock"
    database_url: DatabaseUrl = Field(description="Where orders are kept, as an SQLAlchemy URL. No default.")
    inventory_targets: GrpcTargets = Field(
        default=["127.0.0.1:50051"], description="Addresses of inventory's replicas, separated by commas."
    )
    payments_targets: GrpcTargets = Field(
        default=["127.0.0.1:50052"], description="Addresses of payments' replicas, separated by commas."
    )
    give_up_after_s: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="Seconds after which an order that is not captured is given up: voided, released and rejected.",
    )
    recovery_interval_s: float = Field(
        1.0, gt=0, le=60, description="Seconds between looks for orders that nobody drives any more."
    )
    recovery_concurrency: int = Field(8, ge=1, le=100, description="Orders that the recovery drives at a time.")
    recovery_backoff_max_s: float = Field(
        30.0,
        ge=1,
        le=3600,
        description="Longest time in seconds that the recovery leaves an order alone; it begins with one and doubles.",
    )

    @property
    def rules(self) -> Rules:
        """What is chosen about orders, as the domain takes it."""
        return Rules(int(self.give_up_after_s * 1_000_000), int(self.recovery_backoff_max_s * 1_000_000))
