"""The settings of orders."""

from pydantic import Field

from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import Port, ServiceSettings, Targets


class OrdersSettings(ServiceSettings):
    """What orders needs besides what every service needs."""

    http_port: Port = Field(description="Port of the HTTP listener.")
    database_url: DatabaseUrl = Field(description="Where orders are kept, as an SQLAlchemy URL. No default.")
    inventory_targets: Targets = Field(
        default=["127.0.0.1:50051"], description="Addresses of inventory's replicas, separated by commas."
    )
    payments_targets: Targets = Field(
        default=["127.0.0.1:50052"], description="Addresses of payments' replicas, separated by commas."
    )
