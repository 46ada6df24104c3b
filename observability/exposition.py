"""Reads the samples of chosen metrics from the text of a `/metrics` page.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/. Only what is asked for is parsed: a page has
hundreds of lines, most of them buckets, and it is read every second beside the load.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*?)\})? (?P<value>\S+)")
_LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Series:
    """A metric's name with its labels, sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    def has(self, **labels: str) -> bool:
        """Whether these labels have these values."""
        own = dict(self.labels)
        return all(own.get(name) == value for name, value in labels.items())

    def label(self, name: str) -> str:
        """Empty where it has none of that name."""
        return dict(self.labels).get(name, "")


Samples = Mapping[Series, float]


def parse(text: str, names: Collection[str]) -> Samples:
    """The samples of these metrics; a line that is none is skipped."""
    return dict(_samples(text, frozenset(names)))


def _samples(text: str, names: frozenset[str]) -> Iterator[tuple[Series, float]]:
    for line in text.splitlines():
        if re.split(r"[{ ]", line, maxsplit=1)[0] not in names or not (found := _LINE.match(line)):
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        yield Series(found["name"], _labels(found["labels"] or "")), value


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, _ESCAPED.sub(_unescaped, value)) for name, value in _LABEL.findall(text)))


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n"}.get(found[1], found[1])
