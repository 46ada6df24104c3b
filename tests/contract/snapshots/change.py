"""A breaking change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """`place` in the contract, `what` happened there, and whom it `breaks`, with the reason."""

    place: str
    what: str
    breaks: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; breaks {self.breaks}"
