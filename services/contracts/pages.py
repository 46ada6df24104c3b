"""Pages by keyset: `?limit=20&cursor=…`, a cursor for each item, no totals.

A cursor is opaque to clients. Inside it are the listing's name and the last item's sort key, so that a cursor
of another listing, or one made up, is told from a real one.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.contracts.limits import is_id

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_CURSOR_LENGTH = 200

Key = tuple[str | int, ...]
"""An item's sort key: unique within its listing, and the columns of the index that serves it."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Items in the listing's order; `next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode_cursor(listing: str, key: Key) -> str:
    """The cursor of the item with sort key `key` in `listing`."""
    text = json.dumps([listing, *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(listing: str, cursor: str, types: tuple[type[str | int], ...]) -> Key:
    """The sort key inside `cursor`, whose parts have `types`.

    Raises: ValueError for a cursor that is not one of `listing`.
    """
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise ValueError("this is not a cursor of this listing")
    name, *key = _decoded(cursor)
    if name != listing or [type(part) for part in key] != list(types) or not all(map(_is_plain, key)):
        raise ValueError("this is not a cursor of this listing")
    return tuple(key)


def _is_plain(part: str | int) -> bool:
    return is_id(part) if isinstance(part, str) else abs(part) < 1 << 63


def _decoded(cursor: str) -> list[str | int]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        value = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as exc:
        raise ValueError("this is not a cursor of this listing") from exc
    if not isinstance(value, list) or not value:
        raise ValueError("this is not a cursor of this listing")
    return value
