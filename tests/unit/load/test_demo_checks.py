from chaos.load import LoadPlan
from chaos.load.outcomes import NOT_SENT, of_answer, unanswered
from chaos.load.summary import Summary
from deploy.demo.checks import is_whole, missing_services, problems_of_traffic
from observability.embedded import waterfall
from tests.unit.load.fake_gateway import PRODUCTS
from tests.unit.load.traces import checkout_trace


def everything_seen(planned: int = 100) -> Summary:
    summary = Summary(LoadPlan(planned, 1, 1, PRODUCTS, "test"), max_in_flight=10)
    answers = (
        ("GET /api/v1/products", of_answer(200, None)),
        ("GET /api/v1/products/{product_id}", of_answer(200, None)),
        ("POST /api/v1/orders", of_answer(201, None)),
        ("POST /api/v1/orders", of_answer(402, "/problems/payment-declined")),
        ("POST /api/v1/orders", of_answer(409, "/problems/out-of-stock")),
        ("POST /api/v1/orders", of_answer(422, "/problems/unknown-product")),
    )
    for route, outcome in answers:
        summary.started(0)
        summary.finished(route, outcome, 0.01, None)
    return summary


def problems(summary: Summary) -> list[str]:
    return list(problems_of_traffic(summary.report(1, finished=True), most_failed=0.02))


def test_when_everything_was_seen_nothing_is_said() -> None:
    assert problems(everything_seen()) == []


def test_nothing_seen_is_six_problems() -> None:
    assert len(problems(Summary(LoadPlan(1, 1, 1, PRODUCTS, "test"), max_in_flight=1))) == 6


def test_a_failure_in_fifty_is_borne_and_more_is_not() -> None:
    summary = everything_seen()
    for outcome in (unanswered("timeout"), of_answer(503, None)):
        summary.started(0)
        summary.finished("POST /api/v1/orders", outcome, 1, None)
    assert problems(summary) == []
    summary.not_sent("POST /api/v1/orders", NOT_SENT)
    assert problems(summary) == ["3 of 100 requests failed"]


def test_a_trace_is_whole_with_all_services_and_all_parents() -> None:
    assert is_whole(waterfall.build(checkout_trace("a")))
    without_orders = waterfall.build(checkout_trace("a", ("gateway", "inventory", "payments")))
    assert missing_services(without_orders) == ["orders"]
    assert not is_whole(without_orders)


def test_a_trace_with_a_span_still_missing_is_not_whole() -> None:
    trace = checkout_trace("a")
    del trace["spans"][4]
    assert missing_services(waterfall.build(trace)) == []
    assert not is_whole(waterfall.build(trace))
