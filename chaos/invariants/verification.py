"""Proves the invariants of a finished run."""

from collections.abc import Iterable
from math import isfinite

from chaos.invariants import stores
from chaos.invariants.acknowledged import Acknowledged
from chaos.invariants.checks import INVARIANTS
from chaos.invariants.evidence import Evidence
from chaos.invariants.report import Report, counts
from chaos.invariants.stores import Databases, Rows
from chaos.invariants.tables import (
    IdempotencyRecord,
    Order,
    OrderLine,
    Payment,
    Product,
    Reservation,
    ReservationLine,
)


async def verify(
    databases: Databases, acknowledged: Iterable[Acknowledged] = (), *, now_us: int, max_pending_s: float
) -> Report:
    """Checks every invariant against the stores; changes nothing.

    `databases` are the URLs of the stores orders, inventory and payments; `acknowledged` is what clients were told.
    An order may have been pending for `max_pending_s` seconds at `now_us`, microseconds since 1970 in UTC.
    Raises StoreError when a store cannot be read, ValueError for a `max_pending_s` that is negative or no number.
    """
    if not (isfinite(max_pending_s) and max_pending_s >= 0):
        raise ValueError(f"max_pending_s: {max_pending_s} is not a number from 0")
    rows = await stores.read(databases)
    evidence = _evidence(rows, tuple(acknowledged), now_us, round(max_pending_s * 1_000_000))
    moving = await stores.orders_progress(databases) != _progress(evidence)
    checked = tuple(each.check(evidence) for each in INVARIANTS)
    return Report(checked, counts(evidence), now_us, max_pending_s, moving)


def _evidence(rows: Rows, acknowledged: tuple[Acknowledged, ...], now_us: int, max_pending_us: int) -> Evidence:
    return Evidence(
        orders=rows.of(Order),
        order_lines=rows.of(OrderLine),
        records=rows.of(IdempotencyRecord),
        products=rows.of(Product),
        reservations=rows.of(Reservation),
        reservation_lines=rows.of(ReservationLine),
        payments=rows.of(Payment),
        acknowledged=acknowledged,
        now_us=now_us,
        max_pending_us=max_pending_us,
    )


def _progress(evidence: Evidence) -> tuple[int, int]:
    return len(evidence.orders), sum(each.version for each in evidence.orders)
