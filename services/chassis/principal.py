"""Who is asking, as every service behind the gateway sees it."""

from collections.abc import Mapping
from dataclasses import dataclass

USER_ID = "x-user-id"
CLIENT_ID = "x-client-id"
SCOPES = "x-scopes"


@dataclass(frozen=True)
class Principal:
    """An authenticated caller: the user acted for, the program acting, and what it may do."""

    user_id: str
    client_id: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def as_metadata(self) -> dict[str, str]:
        """The headers (HTTP) or metadata (gRPC) that carry the principal inward."""
        return {USER_ID: self.user_id, CLIENT_ID: self.client_id, SCOPES: " ".join(sorted(self.scopes))}


def from_metadata(metadata: Mapping[str, str]) -> Principal | None:
    """The principal in lower-case `metadata`, or None where there is none."""
    if USER_ID not in metadata or CLIENT_ID not in metadata:
        return None
    return Principal(metadata[USER_ID], metadata[CLIENT_ID], frozenset(metadata.get(SCOPES, "").split()))
