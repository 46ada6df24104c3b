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


def parse_mix(text: str) -> Mix:
    """Read `browse=3,checkout_ok=1`. Raises `PlanError` naming the part that is wrong."""
    return MappingProxyType(dict(_parse_part(part) for part in text.split(",")))


def _parse_part(part: str) -> tuple[Kind, float]:
    name, _, weight = part.strip().partition("=")
    try:
        return Kind(name.strip()), float(weight)
    except ValueError as error:
        raise PlanError(f"mix: {part.strip()!r} is not KIND=WEIGHT; kinds: {', '.join(Kind)}") from error
