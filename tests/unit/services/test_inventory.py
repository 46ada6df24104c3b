"""The inventory's use cases over a store in memory."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import ProblemError
from services.inventory import catalogue, use_cases
from services.inventory.domain import Line, ReservationState
from services.inventory.ports import Dependencies, Stock
from tests.fakes.shop import ALICE, HOUR_US, NOBODY, Clock, product
from tests.fakes.stock import StockData, stock_store
from tests.fakes.transactions import MemoryStore
from tests.refusals import quietly, refused

Store = MemoryStore[StockData, Stock]


@pytest.fixture
def store() -> Store:
    made = stock_store()
    made.data.products = {each.product_id: each for each in (product("p-1"), product("p-2", price=70, available=1))}
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deps(store: Store, clock: Clock) -> Dependencies:
    return Dependencies(store, clock, HOUR_US)


def available(store: Store) -> dict[str, int]:
    return {each.product_id: each.available for each in store.data.products.values()}


class TestReserve:
    async def test_takes_all_lines_and_prices_them(self, deps: Dependencies, store: Store) -> None:
        reservation = await use_cases.reserve(deps, ALICE, "o", [Line("p-2", 1), Line("p-1", 3)])
        assert reservation.state is ReservationState.HELD
        assert [(each.product_id, each.unit_price.amount_minor) for each in reservation.lines] == [
            ("p-2", 70),
            ("p-1", 500),
        ]
        assert reservation.expires_at_us - reservation.created_at_us == HOUR_US
        assert available(store) == {"p-1": 7, "p-2": 0}

    async def test_again_answers_the_same_and_takes_nothing(self, deps: Dependencies, store: Store) -> None:
        first = await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        assert await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)]) == first
        assert available(store)["p-1"] == 7

    async def test_again_after_a_change_of_price_keeps_the_price(self, deps: Dependencies, store: Store) -> None:
        first = await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        store.data.products["p-1"] = product("p-1", price=999)
        assert await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)]) == first

    async def test_too_few_takes_nothing_and_names_the_lines(self, deps: Dependencies, store: Store) -> None:
        problem = await refused("out-of-stock", use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3), Line("p-2", 2)]))
        (error,) = problem.errors
        assert error.field == "lines[1].quantity"
        assert "2 of p-2 asked for, 1 available" in error.message
        assert available(store) == {"p-1": 10, "p-2": 1}
        assert store.data.reservations["o"].state is ReservationState.RELEASED

    @pytest.mark.parametrize("product_id", ["p-2", "p-9"])
    async def test_a_refusal_stays_the_answer(self, deps: Dependencies, store: Store, product_id: str) -> None:
        """So that a request that arrives late, when there are pieces again, holds nothing for an order that ended."""
        answers = []
        for _ in range(2):
            with pytest.raises(ProblemError) as raised:
                await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3), Line(product_id, 2)])
            answers.append((raised.value.slug, raised.value.detail, raised.value.errors))
            store.data.products |= {each: product(each, available=99) for each in ("p-2", "p-9")}
        assert answers[0] == answers[1]
        assert available(store)["p-1"] == 10
        await refused("reservation-closed", use_cases.confirm(deps, ALICE, "o"))
        assert (await use_cases.release(deps, ALICE, "o")).state is ReservationState.RELEASED
        assert available(store)["p-1"] == 10

    async def test_unknown_products_are_named(self, deps: Dependencies) -> None:
        lines = [Line("p-8", 1), Line("p-1", 99), Line("p-9", 1)]
        problem = await refused("unknown-product", use_cases.reserve(deps, ALICE, "o", lines))
        assert [each.field for each in problem.errors] == ["lines[0].product_id", "lines[2].product_id"]

    async def test_other_lines_for_the_same_order_are_refused(self, deps: Dependencies) -> None:
        await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        await refused("idempotency-key-reused", use_cases.reserve(deps, ALICE, "o", [Line("p-1", 4)]))

    async def test_after_a_release_nothing_is_held_any_more(self, deps: Dependencies, store: Store) -> None:
        await use_cases.release(deps, ALICE, "o")
        await refused("reservation-closed", use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)]))
        assert available(store)["p-1"] == 10

    async def test_wrong_lines_are_refused(self, deps: Dependencies) -> None:
        await refused("validation-failed", use_cases.reserve(deps, ALICE, "o", [Line("p-1", 0)]))

    async def test_fifty_buyers_of_ten_pieces_get_ten(self, deps: Dependencies, store: Store) -> None:
        buyers = [use_cases.reserve(deps, ALICE, f"o-{number}", [Line("p-1", 1)]) for number in range(50)]
        answers = await asyncio.gather(*buyers, return_exceptions=True)
        assert sum(not isinstance(each, Exception) for each in answers) == 10
        assert available(store)["p-1"] == 0


class TestConfirmAndRelease:
    async def test_confirm_sells_once(self, deps: Dependencies, store: Store) -> None:
        await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        first = await use_cases.confirm(deps, ALICE, "o")
        assert first.state is ReservationState.CONFIRMED
        assert await use_cases.confirm(deps, ALICE, "o") == first
        assert available(store)["p-1"] == 7

    async def test_release_gives_back_once(self, deps: Dependencies, store: Store) -> None:
        await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        first = await use_cases.release(deps, ALICE, "o")
        assert first.state is ReservationState.RELEASED
        assert await use_cases.release(deps, ALICE, "o") == first
        assert available(store)["p-1"] == 10

    async def test_what_was_sold_can_be_given_back(self, deps: Dependencies, store: Store) -> None:
        await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        await use_cases.confirm(deps, ALICE, "o")
        await use_cases.release(deps, ALICE, "o")
        assert available(store)["p-1"] == 10

    async def test_what_was_released_cannot_be_sold(self, deps: Dependencies) -> None:
        await use_cases.release(deps, ALICE, "o")
        await refused("reservation-closed", use_cases.confirm(deps, ALICE, "o"))

    async def test_what_was_never_reserved_cannot_be_sold(self, deps: Dependencies) -> None:
        await refused("reservation-not-found", use_cases.confirm(deps, ALICE, "o"))

    async def test_one_can_ask_how_it_stands(self, deps: Dependencies) -> None:
        await refused("reservation-not-found", use_cases.get_reservation(deps, ALICE, "o"))
        first = await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        assert await use_cases.get_reservation(deps, ALICE, "o") == first


class TestExpiry:
    async def test_gives_back_what_nobody_sold(self, deps: Dependencies, store: Store, clock: Clock) -> None:
        await use_cases.reserve(deps, ALICE, "o-1", [Line("p-1", 3), Line("p-2", 1)])
        await use_cases.reserve(deps, ALICE, "o-2", [Line("p-1", 2)])
        await use_cases.confirm(deps, ALICE, "o-2")
        assert await use_cases.expire(deps, 50) == 0
        clock.advance(seconds=3601)
        assert await use_cases.expire(deps, 50) == 1
        assert await use_cases.expire(deps, 50) == 0
        assert available(store) == {"p-1": 8, "p-2": 1}
        await refused("reservation-closed", use_cases.confirm(deps, ALICE, "o-1"))
        await refused("reservation-closed", use_cases.reserve(deps, ALICE, "o-1", [Line("p-1", 3), Line("p-2", 1)]))

    async def test_takes_a_few_at_a_time(self, deps: Dependencies, store: Store, clock: Clock) -> None:
        for number in range(5):
            await use_cases.reserve(deps, ALICE, f"o-{number}", [Line("p-1", 1)])
        clock.advance(seconds=3601)
        assert [await use_cases.expire(deps, 2) for _ in range(4)] == [2, 2, 1, 0]
        assert available(store)["p-1"] == 10

    async def test_is_put_off_by_asking_again(self, deps: Dependencies, clock: Clock) -> None:
        first = await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        clock.advance(seconds=1700)
        assert await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)]) == first
        clock.advance(seconds=200)
        again = await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        assert again.expires_at_us - first.expires_at_us >= 1900_000_000
        clock.advance(seconds=1800)
        assert await use_cases.expire(deps, 50) == 0
        assert (await use_cases.confirm(deps, ALICE, "o")).state is ReservationState.CONFIRMED

    async def test_until_it_is_given_back_it_can_be_sold(self, deps: Dependencies, clock: Clock) -> None:
        await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 3)])
        clock.advance(seconds=7200)
        assert (await use_cases.confirm(deps, ALICE, "o")).state is ReservationState.CONFIRMED
        assert await use_cases.expire(deps, 50) == 0


class TestCatalogue:
    async def test_pages_show_every_product_once(self, deps: Dependencies, store: Store) -> None:
        store.data.products = {each.product_id: each for each in catalogue.products(999)}
        seen, cursor = [], ""
        while True:
            page = await use_cases.list_products(deps, ALICE, 33, cursor)
            seen += [each.product_id for each in page.items]
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert seen == sorted(store.data.products)

    async def test_the_last_page_has_no_next(self, deps: Dependencies) -> None:
        assert (await use_cases.list_products(deps, ALICE, 2, "")).next_cursor is None
        assert (await use_cases.list_products(deps, ALICE, 1, "")).next_cursor is not None

    async def test_a_batch_keeps_the_order_and_leaves_out_the_unknown(self, deps: Dependencies) -> None:
        found = await use_cases.batch_get_products(deps, ALICE, ["p-2", "p-9", "p-1", "\x00"])
        assert [each.product_id for each in found] == ["p-2", "p-1"]

    @pytest.mark.parametrize("product_id", ["p-9", "", "\x00", "p" * 1000])
    async def test_an_unknown_product_is_not_found(self, deps: Dependencies, product_id: str) -> None:
        await refused("product-not-found", use_cases.get_product(deps, ALICE, product_id))

    async def test_bad_pages_are_refused(self, deps: Dependencies) -> None:
        await refused("validation-failed", use_cases.list_products(deps, ALICE, -1, ""))
        await refused("validation-failed", use_cases.list_products(deps, ALICE, 101, ""))
        await refused("validation-failed", use_cases.list_products(deps, ALICE, 1, "made up"))
        await refused("validation-failed", use_cases.batch_get_products(deps, ALICE, ["p-1"] * 101))

    async def test_seeding_again_keeps_what_was_sold(self, deps: Dependencies, store: Store) -> None:
        await use_cases.add_catalogue(deps, catalogue.products(999))
        await use_cases.reserve(deps, ALICE, "o", [Line("p-0001", 9)])
        await use_cases.add_catalogue(deps, catalogue.products(999))
        assert available(store)["p-0001"] == 990

    def test_it_is_the_same_everywhere(self) -> None:
        products = catalogue.products(999)
        assert products == catalogue.products(999)
        assert [each.product_id for each in products] == [f"p-{number:04d}" for number in range(1, 201)]
        assert len({each.name for each in products}) == 200
        assert all(each.price.amount_minor > 0 and each.price.currency == "EUR" for each in products)
        assert products[49].available == 10
        assert products[199].available == 0
        assert sum(each.available == 999 for each in products) == 196


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (use_cases.list_products, (1, "")),
        (use_cases.get_product, ("p-1",)),
        (use_cases.batch_get_products, (["p-1"],)),
        (use_cases.reserve, ("o", [Line("p-1", 1)])),
        (use_cases.confirm, ("o",)),
        (use_cases.release, ("o",)),
        (use_cases.get_reservation, ("o",)),
    ],
)
async def test_everything_needs_its_scope(deps: Dependencies, call: Any, arguments: tuple[Any, ...]) -> None:
    await refused("forbidden", call(deps, NOBODY, *arguments))


async def test_every_operation_is_declared(deps: Dependencies, store: Store, clock: Clock) -> None:
    await use_cases.add_catalogue(deps, [])
    await use_cases.list_products(deps, ALICE, 1, "")
    await use_cases.get_product(deps, ALICE, "p-1")
    await use_cases.batch_get_products(deps, ALICE, ["p-1"])
    await use_cases.reserve(deps, ALICE, "o", [Line("p-1", 1)])
    await use_cases.get_reservation(deps, ALICE, "o")
    await use_cases.confirm(deps, ALICE, "o")
    await use_cases.release(deps, ALICE, "o")
    await use_cases.reserve(deps, ALICE, "o-2", [Line("p-1", 1)])
    clock.advance(seconds=3601)
    await use_cases.expire(deps, 50)
    assert set(store.operations) == set(use_cases.OPERATIONS)


orders = st.sampled_from(["o-1", "o-2", "o-3"])
baskets = st.dictionaries(st.sampled_from(["p-1", "p-2", "p-3"]), st.integers(1, 6), min_size=1)
calls = st.lists(
    st.tuples(st.just("reserve"), orders, baskets)
    | st.tuples(st.just("confirm"), orders, st.none())
    | st.tuples(st.just("release"), orders, st.none()),
    max_size=30,
)


@given(calls)
def test_whatever_is_asked_no_piece_is_lost_or_made_up(asked: list[tuple[str, str, dict[str, int] | None]]) -> None:
    store = stock_store()
    store.data.products = {each: product(each, available=10) for each in ("p-1", "p-2", "p-3")}
    deps = Dependencies(store, Clock(), HOUR_US)
    for name, order_id, basket in asked:
        asyncio.run(quietly(getattr(use_cases, name)(deps, ALICE, order_id, *as_lines(basket))))
        for product_id, free in available(store).items():
            assert free >= 0
            assert free + gone(store, product_id) == 10


def as_lines(basket: dict[str, int] | None) -> list[list[Line]]:
    return [] if basket is None else [[Line(*each) for each in basket.items()]]


def gone(store: Store, product_id: str) -> int:
    """Pieces that are held or sold."""
    live = [each for each in store.data.reservations.values() if each.state is not ReservationState.RELEASED]
    return sum(line.quantity for each in live for line in each.lines if line.product_id == product_id)
