"""An assertion that an experiment made, and what it rests on."""

from dataclasses import dataclass
from typing import Literal

RestsOn = Literal["load", "metrics", "traces", "stores", "alerts"]


@dataclass(frozen=True)
class Assertion:
    """`said` tells what was found, for people."""

    name: str
    holds: bool
    said: str
    rests_on: RestsOn
