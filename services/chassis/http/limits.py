"""What a client may make an HTTP listener wait for, hold and read, at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes. None of them concerns how long an answer takes: that is the deadline's.

    `head_bytes` and `head_fields` bound a request's line and headers together; `head_seconds` how long they take to
    arrive, from their first byte (of a new connection: from its beginning); `rest_seconds` how long what a client
    still sends is read, and thrown away, after it was answered; `connections` how many are served at a time, and
    `idle_seconds` how long one may idle between requests before a new one may have its place.
    """

    connections: int = 1000
    head_bytes: int = 32_768
    head_fields: int = 100
    head_seconds: float = 10.0
    rest_seconds: float = 10.0
    idle_seconds: float = 5.0
