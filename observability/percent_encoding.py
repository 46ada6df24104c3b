"""Text as it reads once all its percent-encoding (RFC 3986, section 2.1) is undone, and where each character stood."""

import re
from dataclasses import dataclass
from typing import Final

_MAX_ROUNDS: Final = 8
# A `%` that was encoded itself, however often, is undone at once (`%25255F`): a round for each would be quadratic.
# Bytes beyond ASCII stay as they are: they are parts of characters.
_ENCODED: Final = re.compile(r"%(?:25)*([0-7][0-9A-Fa-f])")


@dataclass(frozen=True)
class Decoded:
    """`text[i]` was written from `starts[i]` to before `starts[i + 1]` of the original; `starts` is one longer."""

    text: str
    starts: list[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that became `text[start:end]`."""
        return self.starts[start], self.starts[end]


def is_encoded(text: str) -> bool:
    """Whether `decoded` would read anything but `text`."""
    return "%" in text and _ENCODED.search(text) is not None


def decoded(text: str) -> Decoded | None:
    """Undoes it until nothing is left to undo; None if even that is encoded too often to be anybody's accident."""
    found = Decoded(text, list(range(len(text) + 1)))
    for _ in range(_MAX_ROUNDS):
        if not is_encoded(found.text):
            return found
        found = _once(found)
    return None


def _once(given: Decoded) -> Decoded:
    """Takes time linear in the text."""
    pieces: list[str] = []
    starts: list[int] = []
    done = 0
    for each in _ENCODED.finditer(given.text):
        pieces += given.text[done : each.start()], chr(int(each[1], 16))
        starts += given.starts[done : each.start() + 1]
        done = each.end()
    pieces.append(given.text[done:])
    starts += given.starts[done:]
    return Decoded("".join(pieces), starts)
