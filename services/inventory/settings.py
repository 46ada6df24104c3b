"""The inventory's settings."""

from pydantic import Field

from services.chassis.database_settings import DatabaseSettings
from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import Port


class InventorySettings(DatabaseSettings):
    """What the inventory needs besides what every service needs."""

    grpc_port: Port = Field(description="Port of the gRPC listener.")
    database_url: DatabaseUrl = Field(
        description="Where catalogue, stock and reservations are kept, as an SQLAlchemy URL. No default."
    )
    catalogue_stock: int = Field(
        999, ge=0, description="Pieces of each product that is not scarce, in a catalogue that is made at first start."
    )
    reservation_ttl_s: float = Field(
        900.0, gt=0, description="Seconds after which goods that were reserved and not sold may be given back."
    )
    expiry_interval_s: float = Field(
        5.0, gt=0, le=3600, description="Seconds between looks for reservations that have expired."
    )
    expiry_grace_s: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="Seconds after the start in which nothing is given back, so that orders that were paid for while "
        "the inventory was away can still be confirmed.",
    )
