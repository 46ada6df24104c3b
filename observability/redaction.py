"""Keeps secrets out of whatever leaves the process: log lines, span attributes, label values.

Two rules. A value under a name that means a secret (`authorization`, `x-api-key`, `*token`, ...) is masked whole. Inside
any text, what looks like a secret is masked: our API keys (`flk_...`), credentials after such a name, bearer tokens,
JSON web tokens, passwords in URLs, and the exact secrets that the process says it holds.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

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
    | (?P<bearer> \bbearer\s{1,9} ) [\w.~+/=-]{8,}
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
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _SECRET_TEXT.sub(_masked, text) if _has_hint(text) else text

    def suspects(self, text: str) -> bool:
        """Whether `text` might change it; cheap enough for a whole span at once, and never wrong when false."""
        return _has_hint(text) or any(secret in text for secret in self._secrets)

    def field(self, name: str, value: object) -> Plain:
        """A named value as plain JSON data, masked whole if its name means a secret."""
        return self._field(name, value, depth=0)

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


def _masked(match: re.Match[str]) -> str:
    """What stays of a match is the name before the secret."""
    return f"{match['named'] or match['bearer'] or ''}{MASK}"
