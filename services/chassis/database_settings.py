"""The settings of a service that has a database of its own."""

from pydantic import Field
from sqlalchemy.engine import make_url

from services.chassis.database import DatabaseOptions
from services.chassis.database_url import DatabaseUrl
from services.chassis.settings import ServiceSettings

_ATTEMPT_TIMEOUT_S = 2.0  # what the services give an attempt at their database
_RECOGNISABLE = 12  # characters: a shorter password may be a word that telemetry needs


class DatabaseSettings(ServiceSettings):
    """What every service with a database needs; each says what it keeps there."""

    database_url: DatabaseUrl
    database_pool_size: int = Field(
        10, ge=1, le=1000, description="Connections to the database that are kept open once they were needed."
    )
    database_pool_overflow: int = Field(
        5, ge=0, le=1000, description="Connections that may be opened beyond those while all of them are in use."
    )
    database_pool_timeout_s: float = Field(
        1.0,
        gt=0,
        lt=_ATTEMPT_TIMEOUT_S,
        description="Seconds that a unit of work waits for a connection to get free, and for a server to take a new "
        "one; then it is refused.",
    )

    @property
    def database_options(self) -> DatabaseOptions:
        """The bounds that are chosen here."""
        return DatabaseOptions(self.database_pool_size, self.database_pool_overflow, self.database_pool_timeout_s)

    @property
    def secrets(self) -> frozenset[str]:
        password = str(make_url(self.database_url).password or "")
        return super().secrets | ({password} if len(password) >= _RECOGNISABLE else set())
