"""Keeps secrets out of whatever leaves the process: log lines, span attributes, label values.

Two rules. A value under a name that means a secret (`authorization`, `x-api-key`, `*token`, ...) is masked whole. Inside
any text, what looks like a secret is masked: our API keys (`flk_...`), credentials after such a name, bearer tokens,
JSON web tokens, passwords in URLs, and the exact secrets that the process says it holds. All that also where it is
percent-encoded, in whole or in part, once or again and again.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from observability.percent_encoding import decoded, is_encoded

MASK: Final = "[redacted]"

_MAX_DEPTH: Final = 8

_SECRET_NAME: Final = re.compile(
    r"(?:authorization|api[-_]?key|token|secret|password|passwd|cookie|credentials?)$", re.IGNORECASE
)

# Every alternative runs in time linear in the text, whoever wrote it: no nested or adjacent repetition of one class.
_SECRET_TEXT: Final = re.compile(
    r"""
      (?P<key> flk_[\w-]+ )
    | (?P<named> (?:authorization|api[-_]?key|token|secret|password|passwd|cookie)
        ["']? (?: \s{0,9}[:=]\s{0,9} | ["'],\s{0,9} ) (?:b?["'])? (?:(?:bearer|basic|digest|token)\s{1,9})? ) [^\s"',;&)}\]]+
    | (?P<bearer> \bbearer[\s+]{1,9} ) [\w.~+/=-]{8,}
    | (?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*
    | (?<=://)[^\s/:@]*:[^\s/@]+(?=@)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Nearly all text holds none of these, and finding that out costs a tenth of running the pattern.
_HINTS: Final = ("flk_", "key", "auth", "token", "secret", "passw", "cookie", "bearer", "eyj", "@")

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether whatever stands under this name is a secret; prefixes are ignored (`http.request.header.x-api-key`)."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Masks secrets; `secrets` are exact values, beyond what can be recognised by its shape."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def text(self, text: str) -> str:
        """The same text with every secret in it masked; the identical object if there is none."""
        found = sorted(self._found(text))
        return _masked(text, found) if found else text

    def suspects(self, text: str) -> bool:
        """Whether `text` might change it; cheap enough for a whole span at once, and never wrong when false."""
        if self._shows_any(text):
            return True
        return is_encoded(text) and ((plain := decoded(text)) is None or self._shows_any(plain.text))

    def field(self, name: str, value: object) -> Plain:
        """A named value as plain JSON data, masked whole if its name means a secret."""
        return self._field(name, value, depth=0)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each secret. Both readings count: what ends one in the first may go on in the other."""
        yield from self._found_as_it_is(text)
        if not is_encoded(text):
            return
        if plain := decoded(text):
            yield from (plain.origin(*each) for each in self._found_as_it_is(plain.text))
        else:
            yield 0, len(text)

    def _found_as_it_is(self, text: str) -> Iterator[tuple[int, int]]:
        for secret in self._secrets:
            if secret in text:
                yield from (each.span() for each in re.finditer(re.escape(secret), text))
        if _has_hint(text):
            yield from map(_secret_part, _SECRET_TEXT.finditer(text))

    def _shows_any(self, text: str) -> bool:
        return _has_hint(text) or any(secret in text for secret in self._secrets)

    def _field(self, name: str, value: object, depth: int) -> Plain:
        return MASK if value is not None and is_secret_name(name) else self._plain(value, depth)

    def _plain(self, value: object, depth: int) -> Plain:
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)  # JSON has no NaN
            case Mapping() if depth < _MAX_DEPTH:
                return {self.text(str(key)): self._field(str(key), item, depth + 1) for key, item in value.items()}
            case list() | tuple() | set() | frozenset() if depth < _MAX_DEPTH:
                return [self._plain(item, depth + 1) for item in value]
            case _:
                return self.text(str(value))


def _has_hint(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)


def _secret_part(match: re.Match[str]) -> tuple[int, int]:
    """All of a match but the name before the secret."""
    return max(match.start(), match.end("named"), match.end("bearer")), match.end()


def _masked(text: str, found: Iterable[tuple[int, int]]) -> str:
    """`found` by where they start; what overlaps is masked once."""
    pieces: list[str] = []
    done = 0
    for start, end in found:
        if start >= done:
            pieces += text[done:start], MASK
        done = max(done, end)
    return "".join([*pieces, text[done:]])
