"""Proof that a fault took effect."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """`touched` calls, or processes where there is nothing to count; `said` tells the evidence, for people."""

    fault: str
    touched: int
    said: str

    @property
    def real(self) -> bool:
        """Whether it touched anything."""
        return self.touched > 0
