"""Limits of the wire that several services must agree on."""

import re

MAX_LINES = 20
"""Lines of one order."""

MAX_QUANTITY = 1000
"""Pieces on one line."""

MAX_ID_LENGTH = 64
"""Characters of any id."""

MAX_BATCH = 100
"""Ids in one batch read."""

ID_RULE = f"must be 1 to {MAX_ID_LENGTH} printable ASCII characters without spaces"

_ID = re.compile(rf"[!-~]{{1,{MAX_ID_LENGTH}}}")


def is_id(text: str) -> bool:
    """Whether `text` could be an id at all; ids are opaque beyond that."""
    return _ID.fullmatch(text) is not None
