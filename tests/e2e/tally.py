"""What became of generated requests, and how many of them may have had to be sent again."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.conftest import Counts

PATIENCE = 5
"""How often a server that says it has no time is asked: that machine is slow. It must not say so each time, nor for many."""

REPEATED_SHARE, REPEATED_FEW = 0.01, 3
"""At most that share of the requests is sent again, or so many where that is more."""

REFUSED_FEW, REFUSED_MANY = 100, 10_000
"""So many bad requests are sent at least, in a short run and in a long one."""


@dataclass
class Tally:
    """Counts of requests: those `refused` are told what is wrong with them, those `repeated` that there was no time.

    `parts` is how many tests sent them.
    """

    parts: int = 0
    sent: int = 0
    refused: int = 0
    repeated: int = 0

    def __str__(self) -> str:
        return f"{self.sent} generated requests, {self.refused} refused, {self.repeated} sent again"

    def check_repeated(self) -> None:
        """Raises AssertionError where those were too many."""
        assert self.repeated <= max(REPEATED_FEW, REPEATED_SHARE * self.sent), self


def check_refused(tallies: Iterable[Tally], parts: int, counts: Counts) -> None:
    """Raises AssertionError unless, of what so many tests sent together, most and very many were refused."""
    found = list(tallies)
    if sum(each.parts for each in found) < parts:
        pytest.skip("not all of the tests were run whose requests are counted")
    sent, refused = sum(each.sent for each in found), sum(each.refused for each in found)
    assert refused > sent / 2, found
    assert refused >= counts(REFUSED_FEW, REFUSED_MANY), found
