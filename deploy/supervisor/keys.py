"""API keys for local mode: made once per state folder, kept by the user in plain, given to the gateway as hashes."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from deploy.errors import StateError
from deploy.supervisor.state import StateFolder, read_json, write_json

PREFIX: Final = "flk_"
LOAD_USERS: Final = 20

_SHOPPER: Final = ("orders:read", "orders:write", "products:read")
_CHAOS: Final = (*_SHOPPER, "faults:inject", "traces:continue")


@dataclass(frozen=True)
class ClientKey:
    """A key and the principal it stands for. `name` is for people."""

    name: str
    key: str
    user_id: str
    client_id: str
    scopes: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """What the gateway stores: the key has 256 random bits, so that a plain hash suffices."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def ensure(state: StateFolder) -> tuple[ClientKey, ...]:
    """The folder's keys, made when there are none; writes the gateway's file in any case. Raises StateError."""
    keys = read(state)
    if not keys:
        keys = tuple(_make())
        write_json(state.client_keys_file, [asdict(each) for each in keys])
    write_json(state.api_keys_file, {"keys": [hashed(each) for each in keys]})
    return keys


def read(state: StateFolder) -> tuple[ClientKey, ...]:
    """The keys in `client-keys.json`; none when it does not exist. Raises StateError."""
    try:
        return tuple(
            ClientKey(**{**each, "scopes": tuple(each["scopes"])}) for each in read_json(state.client_keys_file) or ()
        )
    except (KeyError, TypeError) as exc:
        raise StateError(f"{state.client_keys_file}: not a file of keys; delete it") from exc


def of_client(keys: Sequence[ClientKey], client_id: str) -> tuple[ClientKey, ...]:
    """The keys of one client, such as `load`, in their order."""
    return tuple(each for each in keys if each.client_id == client_id)


def _make() -> Iterator[ClientKey]:
    for number in range(1, LOAD_USERS + 1):
        yield _new(f"load-{number}", f"load-user-{number}", "load", _SHOPPER)
    yield _new("demo", "demo-user", "demo", _SHOPPER)
    yield _new("chaos", "chaos-user", "chaos", _CHAOS)


def _new(name: str, user_id: str, client_id: str, scopes: tuple[str, ...]) -> ClientKey:
    return ClientKey(name, PREFIX + secrets.token_urlsafe(32), user_id, client_id, scopes)


def hashed(key: ClientKey) -> dict[str, Any]:
    """The key as the gateway's file has it: a `KeyEntry`."""
    return {"sha256": key.sha256, "user_id": key.user_id, "client_id": key.client_id, "scopes": list(key.scopes)}
