"""A service's own SQL database, reached through the call seam like any other peer: SQLite or PostgreSQL."""

from services.chassis.database.database import Database
from services.chassis.database.options import DatabaseOptions

__all__ = ["Database", "DatabaseOptions"]
