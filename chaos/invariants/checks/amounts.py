"""How amounts are told."""


def amount(minor: int | None, currency: str | None) -> str:
    """`1234 EUR minor`, or `nothing` where there is no amount."""
    return "nothing" if minor is None else f"{minor} {currency or 'without a currency'} minor"
