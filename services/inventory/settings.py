"""The inventory's settings."""

from pydantic import Field

from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import Port, ServiceSettings


class InventorySettings(ServiceSettings):
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
