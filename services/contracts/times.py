"""Times on the wire: microseconds since 1970 in UTC inside, timestamps over gRPC, RFC 3339 over HTTP."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_timestamp(microseconds: int) -> Timestamp:
    """The moment as protobuf sends it."""
    timestamp = Timestamp()
    timestamp.FromMicroseconds(microseconds)
    return timestamp


def from_timestamp(timestamp: Timestamp) -> int:
    """The inverse of `to_timestamp`."""
    return timestamp.ToMicroseconds()


def to_datetime(microseconds: int) -> datetime:
    """The moment with its time zone, exact to the microsecond; its ISO form is RFC 3339."""
    return _EPOCH + timedelta(microseconds=microseconds)


def from_datetime(moment: datetime) -> int:
    """The inverse of `to_datetime`; `moment` has a time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
