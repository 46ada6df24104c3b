"""How long what concerns an order may take, and when to look at it again. Times are in microseconds."""

from dataclasses import dataclass

LEASE_US = 5_000_000
"""How long whoever drives an order keeps others waiting at most: longer than a request may take."""

RENEW_BELOW_US = LEASE_US
"""How much of a reservation must be left before money is asked for: as long as one driver may take."""

BACKOFF_US = 1_000_000
"""How long the recovery leaves an order alone after one failure; twice as long after each further one."""


@dataclass(frozen=True)
class Rules:
    """What can be chosen.

    `give_up_after_us`: an order that old that is not captured is given up. `backoff_max_us`: the longest time that the
    recovery leaves an order alone.
    """

    give_up_after_us: int = 60_000_000
    backoff_max_us: int = 30_000_000


def backoff_us(failures: int, rules: Rules) -> int:
    """How long the recovery leaves an order alone that failed after `failures` others in a row.

    Without jitter: the recovery takes a few orders at a time anyway.
    """
    # Doubled no more often than could matter, so that the number stays a small one.
    return min(BACKOFF_US << min(failures, 20), rules.backoff_max_us)
