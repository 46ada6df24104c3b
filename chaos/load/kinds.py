"""What a request wants: its kind, and how often each kind comes."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from chaos.load.errors import PlanError


class Kind(StrEnum):
    """One kind of request. The name says what the client means, not what it will get."""

    BROWSE = "browse"  # a page of the catalogue
    PRODUCT = "product"  # one product
    CHECKOUT_OK = "checkout_ok"
    CHECKOUT_DECLINED = "checkout_declined"  # with a card that the provider declines
    CHECKOUT_TOO_MUCH = "checkout_too_much"  # more pieces than there are
    CHECKOUT_UNKNOWN = "checkout_unknown"  # a product that does not exist


Mix = Mapping[Kind, float]
"""Kind → weight; only the ratios matter, and what is left out never comes."""

DEFAULT_MIX: Final[Mix] = MappingProxyType(
    {
        Kind.BROWSE: 30,
        Kind.PRODUCT: 20,
        Kind.CHECKOUT_OK: 38,
        Kind.CHECKOUT_DECLINED: 6,
        Kind.CHECKOUT_TOO_MUCH: 3,
        Kind.CHECKOUT_UNKNOWN: 3,
    }
)


ALIASES: Final[Mapping[str, Kind]] = MappingProxyType({"checkout": Kind.CHECKOUT_OK})
"""Shorter names that people may use."""


def parse_mix(text: str) -> Mix:
    """Read `browse=3,checkout=1`. Raises `PlanError` naming the part that is wrong, and the kinds there are."""
    mix: dict[Kind, float] = {}
    for part in text.split(","):
        kind, weight = _parse_part(part)
        if kind in mix:
            raise PlanError(f"mix: {kind} is there twice")
        mix[kind] = weight
    return MappingProxyType(mix)


def _parse_part(part: str) -> tuple[Kind, float]:
    name, _, weight = part.partition("=")
    name = name.strip().replace("-", "_")
    try:
        return ALIASES.get(name) or Kind(name), float(weight)
    except ValueError as error:
        choice = ", ".join([*Kind, *ALIASES])
        raise PlanError(f"mix: {part.strip()!r} is not KIND=WEIGHT; kinds: {choice}") from error
