from pathlib import Path

import pytest

from chaos.invariants import Acknowledged, read_acknowledged
from chaos.load import Kind, LoadPlan, run_load
from chaos.load.generator import Result
from chaos.load.outcomes import of_answer, unanswered
from chaos.load.plan import Arrival
from chaos.load.requests import Request
from chaos.load.sender import Answer
from chaos.recording import Recorder, acknowledged
from tests.unit.load.fake_gateway import PRODUCTS, FakeGateway

USERS = ("ann", "bob")
ARRIVAL = Arrival(0, 0.0, Kind.CHECKOUT_OK, 1, Request("POST", "/o", "/o"), "k-1")


def result(status: int, slug: str = "", order_id: str | None = "ord_1") -> Result:
    return Result(ARRIVAL, Answer(of_answer(status, f"/problems/{slug}"), None, order_id), 0.1, 0.0)


@pytest.mark.parametrize(
    ("status", "slug", "said"),
    [
        (201, "", "confirmed"),
        (402, "payment-declined", "rejected"),
        (409, "out-of-stock", "rejected"),
        (503, "service-unavailable", "pending"),
    ],
)
def test_an_answer_that_names_an_order_is_a_promise(status: int, slug: str, said: str) -> None:
    told = acknowledged(result(status, slug), USERS)
    assert told is not None
    assert (told.order_id, told.user_id, told.idempotency_key, told.status) == ("ord_1", "bob", "k-1", said)


def test_no_answer_and_one_without_an_order_promise_nothing() -> None:
    assert acknowledged(result(422, "validation-failed", None), USERS) is None
    assert acknowledged(Result(ARRIVAL, Answer(unanswered("timeout")), 0.1, 0.0), USERS) is None


def test_what_was_recorded_is_read_as_it_was_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    for _ in range(2):
        with Recorder(file, USERS) as record:
            record(result(201))
            assert len(read_acknowledged(file)) >= 1, "written as soon as it is known"
    assert read_acknowledged(file) == (Acknowledged("ord_1", "bob", "k-1", "confirmed"),) * 2


async def test_every_order_of_a_load_is_recorded(gateway: FakeGateway, tmp_path: Path) -> None:
    plan = LoadPlan(200, 0.2, 1, PRODUCTS, "r", users=2, mix={Kind.CHECKOUT_OK: 1, Kind.BROWSE: 1})
    with Recorder(tmp_path / "told.jsonl", USERS) as record:
        await run_load(plan, gateway.url, ["a", "b"], on_result=record)
    told = read_acknowledged(tmp_path / "told.jsonl")
    wanted = {each.idempotency_key for each in plan.arrivals() if each.idempotency_key}
    assert {each.idempotency_key for each in told} == wanted
