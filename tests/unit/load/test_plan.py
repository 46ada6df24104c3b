from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.load import Kind, LoadPlan, PlanError, parse_mix
from tests.unit.load.fake_gateway import PRODUCTS

PLAN = LoadPlan(rps=50, duration_s=20, seed=1, products=PRODUCTS, run_id="test")


def test_a_seed_gives_the_same_requests_every_time() -> None:
    assert list(PLAN.arrivals()) == list(PLAN.arrivals())


def test_a_seed_means_the_same_on_every_machine() -> None:
    """These values are part of what a seed promises: a recorded run can be repeated."""
    first, second = islice(PLAN.arrivals(), 2)
    assert (round(first.at_s, 6), first.kind, first.user) == (0.00423, Kind.BROWSE, 14)
    assert (round(second.at_s, 6), second.kind, second.user) == (0.029863, Kind.CHECKOUT_OK, 8)
    assert second.request.body == {
        "lines": [
            {"product_id": "p-0004", "quantity": 1},
            {"product_id": "p-0002", "quantity": 1},
            {"product_id": "p-0015", "quantity": 2},
        ],
        "payment_method": "pm_card_visa",
    }


def test_another_seed_gives_others() -> None:
    assert list(PLAN.arrivals()) != list(replace(PLAN, seed=2).arrivals())


def test_another_mix_leaves_the_times_as_they_are() -> None:
    only_browse = replace(PLAN, mix={Kind.BROWSE: 1})
    assert [each.at_s for each in PLAN.arrivals()] == [each.at_s for each in only_browse.arrivals()]


@given(
    st.floats(0.1, 100),
    st.floats(0.1, 20),
    st.sampled_from(["constant", "ramp", "spike"]),
    st.integers(1, 50),
)
def test_every_plan_is_whole(rps: float, duration_s: float, shape: str, users: int) -> None:
    plan = LoadPlan(rps, duration_s, 7, PRODUCTS, "test", users, shape)
    arrivals = list(plan.arrivals())
    assert [each.index for each in arrivals] == list(range(plan.count))
    assert all(0 <= each.user < users for each in arrivals)


def test_only_checkouts_have_an_idempotency_key_and_each_its_own() -> None:
    arrivals = list(PLAN.arrivals())
    keys = [each.idempotency_key for each in arrivals if each.kind.startswith("checkout")]
    assert len(set(keys)) == len(keys)
    assert None not in keys
    assert all(each.idempotency_key is None for each in arrivals if not each.kind.startswith("checkout"))


def test_another_run_of_the_same_seed_repeats_no_checkout() -> None:
    keys = {each.idempotency_key for each in replace(PLAN, run_id="a").arrivals()}
    assert keys & {each.idempotency_key for each in replace(PLAN, run_id="b").arrivals()} == {None}


def test_kinds_come_as_the_mix_says() -> None:
    plan = replace(PLAN, duration_s=200, mix=parse_mix("browse=3, checkout_ok=1"))
    kinds = Counter(each.kind for each in plan.arrivals())
    assert set(kinds) == {Kind.BROWSE, Kind.CHECKOUT_OK}
    assert kinds[Kind.BROWSE] / plan.count == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(("exponent", "ratio"), [(1.0, 10), (0.0, 1)])
def test_popularity_follows_zipf(exponent: float, ratio: float) -> None:
    plan = LoadPlan(1000, 100, 1, PRODUCTS, "test", mix={Kind.PRODUCT: 1}, zipf_exponent=exponent)
    asked = Counter(each.request.path.rpartition("/")[2] for each in plan.arrivals())
    assert asked[PRODUCTS[0]] / asked[PRODUCTS[9]] == pytest.approx(ratio, rel=0.15)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.startswith("checkout")])
def test_a_checkout_has_lines_and_a_payment_method(kind: Kind) -> None:
    for arrival in replace(PLAN, mix={kind: 1}).arrivals():
        body = arrival.request.body
        assert body is not None
        assert 1 <= len(body["lines"]) <= 3
        assert len({line["product_id"] for line in body["lines"]}) == len(body["lines"])
        assert body["payment_method"].startswith("pm_card_")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rps": 0}, "rps"),
        ({"rps": float("nan")}, "rps"),
        ({"rps": 1e9}, "rps"),
        ({"duration_s": -1}, "duration_s"),
        ({"duration_s": float("inf")}, "duration_s"),
        ({"users": 0}, "users"),
        ({"shape": "square"}, "constant, ramp, spike"),
        ({"products": ()}, "products"),
        ({"run_id": ""}, "run_id"),
        ({"mix": {}}, "mix"),
        ({"mix": {Kind.BROWSE: -1}}, "browse=-1"),
        ({"mix": {Kind.BROWSE: float("inf")}}, "browse=inf"),
        ({"zipf_exponent": -1}, "zipf_exponent"),
        ({"rps": 10_000, "duration_s": 10_000}, "at most 1000000"),
    ],
)
def test_an_impossible_plan_says_what_is_wrong(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        replace(PLAN, **change)


@pytest.mark.parametrize("text", ["", "browse", "browse=x", "surf=1", "browse=1,,"])
def test_an_impossible_mix_names_its_wrong_part(text: str) -> None:
    with pytest.raises(PlanError, match="KIND=WEIGHT"):
        parse_mix(text)


def test_a_mix_may_say_checkout_for_one_that_works_and_hyphens() -> None:
    assert parse_mix("checkout=2, checkout-declined=1") == {Kind.CHECKOUT_OK: 2, Kind.CHECKOUT_DECLINED: 1}


@pytest.mark.parametrize("text", ["browse=1,browse=2", "checkout=1,checkout_ok=2"])
def test_a_mix_has_each_kind_once(text: str) -> None:
    with pytest.raises(PlanError, match="is there twice"):
        parse_mix(text)
