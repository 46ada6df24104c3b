"""Stock in real databases, beside a model that is as simple as can be: they agree, whatever is asked for, and when."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.chassis.errors import ProblemError
from services.inventory import repository, use_cases
from services.inventory.domain import Line
from services.inventory.ports import Dependencies
from services.inventory.repository import SqlStock
from tests.conftest import Counts
from tests.fakes.shop import ALICE, product
from tests.integration.invariants.planting import Stores
from tests.integration.invariants.real_shop import SqlStore

PIECES = {"p-1": 3, "p-2": 10}
HOLD_US = 100
TIMES_US = (1, HOLD_US // 2 - 5, HOLD_US, 3 * HOLD_US)

Basket = tuple[tuple[str, int], ...]
orders = st.sampled_from(["o-1", "o-2", "o-3", "o-4"])
baskets = st.dictionaries(st.sampled_from(["p-1", "p-2", "p-9"]), st.integers(1, 4), min_size=1).map(
    lambda basket: tuple(basket.items())
)


@dataclass
class Kept:
    """What the model knows of an order; `refusal` is the answer that it has for good."""

    state: str
    basket: Basket = ()
    ends_us: int = 0
    refusal: str = ""


class Model:
    """Stock by the book."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def reserve(self, now_us: int, order: str, basket: Basket) -> str:
        if order not in self.kept:
            self.kept[order] = self._begun(now_us, basket)
            return self.kept[order].refusal or "held"
        kept = self.kept[order]
        if kept.refusal or kept.state == "released":
            return kept.refusal or "reservation-closed"
        if kept.basket != basket:
            return "idempotency-key-reused"
        if kept.state == "held" and kept.ends_us - now_us < HOLD_US // 2:
            kept.ends_us = now_us + HOLD_US
        return kept.state

    def confirm(self, order: str) -> str:
        if order not in self.kept:
            return "reservation-not-found"
        kept = self.kept[order]
        if kept.state == "released":
            return "reservation-closed"
        kept.state = "confirmed"
        return kept.state

    def release(self, order: str) -> str:
        self.kept.setdefault(order, Kept("released")).state = "released"
        return "released"

    def expire(self, now_us: int, limit: int) -> int:
        held = [each for each in self.kept.values() if each.state == "held" and each.ends_us <= now_us]
        ended = sorted(held, key=lambda each: each.ends_us)[:limit]
        for each in ended:
            each.state = "released"
        return len(ended)

    def taken(self, product_id: str, state: str) -> int:
        of_state = [each for each in self.kept.values() if each.state == state]
        return sum(pieces for each in of_state for name, pieces in each.basket if name == product_id)

    def free(self, product_id: str) -> int:
        return PIECES[product_id] - self.taken(product_id, "held") - self.taken(product_id, "confirmed")

    def _begun(self, now_us: int, basket: Basket) -> Kept:
        if any(name not in PIECES for name, _ in basket):
            return Kept("released", refusal="unknown-product")
        if any(pieces > self.free(name) for name, pieces in basket):
            return Kept("released", refusal="out-of-stock")
        return Kept("held", basket, now_us + HOLD_US)


class StockMachine(RuleBasedStateMachine):
    """Asks both. Every request has a moment of its own, so that no two reservations end at the same time."""

    def __init__(self, runner: asyncio.Runner, engine: AsyncEngine) -> None:
        super().__init__()
        self.runner, self.model, self.now_us = runner, Model(), 1_000_000
        store = SqlStore(engine, SqlStock)
        self.deps = Dependencies(store, lambda: self.now_us, HOLD_US)
        self._run(_emptied(engine))
        self._run(use_cases.add_catalogue(self.deps, [product(name, available=n) for name, n in PIECES.items()]))

    @rule(order=orders, basket=baskets)
    def reserve(self, order: str, basket: Basket) -> None:
        self.now_us += 1
        asked = use_cases.reserve(self.deps, ALICE, order, [Line(*each) for each in basket])
        assert self._answer(asked) == self.model.reserve(self.now_us, order, basket)

    @rule(order=orders)
    def confirm(self, order: str) -> None:
        self.now_us += 1
        assert self._answer(use_cases.confirm(self.deps, ALICE, order)) == self.model.confirm(order)

    @rule(order=orders)
    def release(self, order: str) -> None:
        self.now_us += 1
        assert self._answer(use_cases.release(self.deps, ALICE, order)) == self.model.release(order)

    @rule(after_us=st.sampled_from(TIMES_US), limit=st.integers(1, 3))
    def expire(self, after_us: int, limit: int) -> None:
        self.now_us += after_us
        assert self._run(use_cases.expire(self.deps, limit)) == self.model.expire(self.now_us, limit)

    @invariant()
    def stock_is_the_models_and_never_negative(self) -> None:
        found = self._run(self.deps.store.read("look", lambda stock: stock.products(PIECES)))
        assert {name: each.available for name, each in found.items()} == {
            name: self.model.free(name) for name in PIECES
        }
        assert all(each.available >= 0 for each in found.values())

    @invariant()
    def reservations_are_the_models(self) -> None:
        for order, kept in self.model.kept.items():
            found = self._run(use_cases.get_reservation(self.deps, ALICE, order))
            assert found.state == kept.state
            if kept.state == "held":
                assert found.expires_at_us == kept.ends_us

    def _answer(self, asked: Coroutine[Any, Any, Any]) -> str:
        try:
            return str(self._run(asked).state)
        except ProblemError as problem:
            return problem.slug

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)


async def _emptied(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in reversed(repository.metadata.sorted_tables):
            await connection.execute(delete(table))


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_stock_is_what_a_model_says(stores: Stores, counts: Counts) -> None:
    chosen = settings(
        max_examples=counts(20, 300),
        stateful_step_count=20,
        deadline=None,  # a disk is as slow as it is
        suppress_health_check=[HealthCheck.too_slow],
    )
    engine = create_async_engine(stores.urls["inventory"])
    with asyncio.Runner() as runner:

        class OnThisEngine(StockMachine):
            def __init__(self) -> None:
                super().__init__(runner, engine)

        run_state_machine_as_test(OnThisEngine, settings=chosen)
        runner.run(engine.dispose())
