"""Which container gets which secrets, as files: each gets a folder that its user alone can read. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.compose.topology import HOST, POSTGRES_PORT, databases
from deploy.supervisor.keys import ClientKey, hashed

READER: Final = "reader"
"""Role that may read all databases and change nothing: whoever verifies from outside."""
SUPERUSER: Final = "postgres"
NOTIFICATIONS: Final = "notifications-token"
"""What Alertmanager must know to be listened to; made as a password is."""
CONTROL_TOKEN: Final = "control_token"  # noqa: S105 -- a name
GRAFANA: Final = "grafana"

USERS: Final[Mapping[str, int]] = {
    "gateway": 10001,
    "orders": 10002,
    "inventory": 10003,
    "payments": 10004,
    "load": 10005,
    "faultline-alerts": 10006,
    "alertmanager": 65534,
    "postgres": 999,
    "grafana": 472,
}
"""Container → its user's number, as `docker-compose.yml` has it; those of others' images are their own."""


@dataclass(frozen=True)
class Made:
    """What the first start made up: the control token, and a password for each of `everybody()`."""

    token: str
    passwords: Mapping[str, str]
    keys: Sequence[ClientKey]


def roles() -> list[str]:
    """The roles in PostgreSQL: its own, the reader's, and one for each service, named like it."""
    return [SUPERUSER, READER, *databases()]


def everybody() -> list[str]:
    """Whoever needs a password: the roles, Grafana's administrator, and who sends notifications."""
    return [*roles(), GRAFANA, NOTIFICATIONS]


def folders(made: Made) -> dict[str, dict[str, str]]:
    """Container → name of a file → its text. Files that a service reads are named after its settings."""
    token = {CONTROL_TOKEN: made.token}
    return {
        "gateway": {**token, "api-keys.json": _json({"keys": [hashed(each) for each in made.keys]})},
        **{each: {**token, "database_url": _url(each, made.passwords[each], each)} for each in databases()},
        "load": {"client-keys.json": _json([vars(each) for each in made.keys])},
        "postgres": {each: made.passwords[each] for each in roles()},
        **{each: {NOTIFICATIONS: made.passwords[NOTIFICATIONS]} for each in ("faultline-alerts", "alertmanager")},
        "grafana": {"admin_password": made.passwords[GRAFANA]},
    }


def stores(made: Made) -> dict[str, str]:
    """Service → URL of its database for whoever reads it from this machine."""
    return {each: _url(READER, made.passwords[READER], each, f"{HOST}:{POSTGRES_PORT}") for each in databases()}


def _url(role: str, password: str, database: str, place: str = "postgres:5432") -> str:
    return f"postgresql+asyncpg://{role}:{password}@{place}/{database}"


def _json(document: Any) -> str:
    return json.dumps(document, indent=2)
