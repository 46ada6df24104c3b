"""The setting that says where a service's database is."""

from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")


def _checked(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ValueError("is not an SQLAlchemy URL, such as sqlite+aiosqlite:////path/to/file.db") from exc
    if parsed.drivername not in DRIVERS:
        raise ValueError(f"must begin with one of {', '.join(DRIVERS)}")
    if not parsed.database:
        raise ValueError("names no database")
    return url


DatabaseUrl = Annotated[str, Field(min_length=1), AfterValidator(_checked)]
"""An SQLAlchemy URL with one of `DRIVERS`."""
