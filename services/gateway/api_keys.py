"""API keys: an Authenticator that knows the hashes of the keys it accepts."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from observability import semconv
from services.chassis.errors import NotReadyError, ProblemError
from services.chassis.principal import Principal

_ID = "^[!-~]{1,64}$"  # travels inward as a header and as gRPC metadata


class KeyEntry(BaseModel):
    """One accepted key: `sha256` is the hex digest of the key itself, which is kept nowhere."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    user_id: str = Field(pattern=_ID)
    client_id: str = Field(pattern=_ID)
    scopes: frozenset[str]


class _KeyFile(BaseModel):
    keys: list[KeyEntry]


def read(path: Path) -> Sequence[KeyEntry]:
    """The keys in a file `{"keys": [...]}`; raises OSError or ValueError."""
    return _KeyFile.model_validate_json(path.read_bytes()).keys


class ApiKeyAuthenticator:
    """An Authenticator."""

    def __init__(self, keys: Sequence[KeyEntry]) -> None:
        # Looked up by hash, so that the time it takes says nothing about the keys.
        self._principals = {each.sha256: Principal(each.user_id, each.client_id, each.scopes) for each in keys}

    async def authenticate(self, headers: Mapping[str, str]) -> Principal:
        principal = self.find(headers)
        if principal is None:
            raise ProblemError("unauthenticated", f"Send a valid key in the header {semconv.HEADER_API_KEY}.")
        return principal

    async def check(self) -> None:
        """Readiness: raises NotReadyError when no key is accepted, so that everybody would be turned away."""
        if not self._principals:
            raise NotReadyError("API_KEYS_FILE holds no key")

    def find(self, headers: Mapping[str, str]) -> Principal | None:
        """Whose key is in the headers (names in lower case); None for no key or an unknown one."""
        key = headers.get(semconv.HEADER_API_KEY.lower(), "")
        return self._principals.get(hashlib.sha256(key.encode()).hexdigest())
