import asyncio
import time
from collections.abc import Callable

import pytest
from aiohttp import web

from chaos.load import Kind, Limits, LoadPlan, LoadReport, Outcome, PlanError, Result, TargetError, run_load
from chaos.load.outcomes import OutcomeClass
from chaos.load.saturation import LATE_S, Saturation
from tests.unit.load.fake_gateway import PRODUCTS, TRACE_ID, FakeGateway, problem

KEYS = tuple(f"flk_test_{number}" for number in range(20))
PLAN = LoadPlan(rps=400, duration_s=0.5, seed=1, products=PRODUCTS, run_id="test")
LONG = LoadPlan(rps=100, duration_s=600, seed=1, products=PRODUCTS, run_id="test")


def outcomes_of(report: LoadReport) -> dict[str, int]:
    return {f"{route} {counted.outcome}": counted.count for route, counted in report.outcomes()}


def only(report: LoadReport) -> Outcome:
    [(_, counted)] = report.outcomes()
    return counted.outcome


async def test_every_planned_request_is_sent_and_counted(gateway: FakeGateway) -> None:
    report = await run_load(PLAN, gateway.url, KEYS)
    assert len(gateway.seen) == report.sent == report.planned == 200
    assert sum(route.count for route in report.routes) == 200
    assert report.finished
    assert not report.stopped_early
    assert report.in_flight == 0


async def test_every_kind_is_told_by_its_outcome(gateway: FakeGateway) -> None:
    report = await run_load(PLAN, gateway.url, KEYS)
    assert set(outcomes_of(report)) == {
        "GET /api/v1/products 200",
        "GET /api/v1/products/{product_id} 200",
        "POST /api/v1/orders 201",
        "POST /api/v1/orders 402 payment-declined",
        "POST /api/v1/orders 409 out-of-stock",
        "POST /api/v1/orders 422 unknown-product",
    }


async def test_requests_are_as_planned(gateway: FakeGateway) -> None:
    plan = LoadPlan(100, 1, 1, PRODUCTS, "test", mix={Kind.CHECKOUT_OK: 1})
    await run_load(plan, gateway.url, KEYS)
    sent = {(KEYS[each.user], each.idempotency_key, str(each.request.body)) for each in plan.arrivals()}
    assert sent == {
        (each.headers["X-API-Key"], each.headers["Idempotency-Key"], str(each.body)) for each in gateway.seen
    }


async def test_a_slow_gateway_does_not_slow_the_arrivals(gateway: FakeGateway) -> None:
    gateway.delay_s = 0.5
    began = asyncio.get_running_loop().time()
    report = await run_load(PLAN, gateway.url, KEYS)
    assert max(each.at for each in gateway.seen) - began < 30  # a closed loop would have taken 100 s
    assert all(route.p50_s and route.p50_s >= 0.5 for route in report.routes)


async def test_latency_counts_from_when_a_request_should_have_left(gateway: FakeGateway) -> None:
    results: list[Result] = []

    def stall_once(result: Result) -> None:
        if not results:
            time.sleep(0.3)  # holds the generator's own loop
        results.append(result)

    report = await run_load(PLAN, gateway.url, KEYS, on_result=stall_once)
    late = [result for result in results if result.lag_s > 0.1]
    assert late
    assert all(result.latency_s >= result.lag_s for result in results)
    assert report.generator.saturated
    assert "late" in report.generator.said


def test_a_generator_that_keeps_up_says_nothing() -> None:
    lags = Saturation(max_in_flight=1)
    for _ in range(100):
        lags.sent(LATE_S / 2)
    report = lags.report(elapsed_s=1.0)
    assert (report.said, report.saturated) == ("", False)


async def test_one_that_says_nothing_has_kept_up(gateway: FakeGateway) -> None:
    report = (await run_load(LoadPlan(20, 1, 1, PRODUCTS, "test"), gateway.url, KEYS)).generator
    assert report.lag_p99_s is not None
    assert report.saturated == bool(report.said) == (report.lag_p99_s > LATE_S)


async def test_no_more_than_the_limit_is_in_flight_and_what_is_left_out_is_said(gateway: FakeGateway) -> None:
    gateway.delay_s = 1.0
    report = await run_load(PLAN, gateway.url, KEYS, limits=Limits(max_in_flight=10))
    assert len(gateway.seen) == report.sent == 10
    assert report.count(OutcomeClass.NOT_SENT) == report.generator.not_sent == 190
    assert "190 requests were not sent" in report.generator.said
    assert not report.stopped_early


async def test_an_answer_that_does_not_come_is_given_up_and_measured(gateway: FakeGateway) -> None:
    gateway.delay_s = 60
    report = await run_load(
        LoadPlan(20, 0.5, 1, PRODUCTS, "test", mix={Kind.BROWSE: 1}), gateway.url, KEYS, limits=Limits(timeout_s=0.3)
    )
    assert str(only(report)) == "unanswered timeout"
    assert report.routes[0].p50_s is not None
    assert 0.29 <= report.routes[0].p50_s <= report.elapsed_s  # of a histogram, and so not exact


async def test_a_gateway_that_is_away_is_counted(unused_tcp_port: int) -> None:
    plan = LoadPlan(20, 0.2, 1, PRODUCTS, "test", mix={Kind.BROWSE: 1})
    report = await run_load(plan, f"http://127.0.0.1:{unused_tcp_port}", KEYS)
    assert str(only(report)) == "unanswered connection-refused"


async def test_a_dropped_connection_is_counted(gateway: FakeGateway) -> None:
    gateway.drop_connections = True
    report = await run_load(LoadPlan(20, 0.2, 1, PRODUCTS, "test", mix={Kind.CHECKOUT_OK: 1}), gateway.url, KEYS)
    assert str(only(report)) == "unanswered connection-lost"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda: web.Response(status=302, headers={"Location": "http://192.0.2.1/"}), "302"),
        (lambda: problem(503, "service-unavailable"), "503 service-unavailable"),
        (lambda: web.Response(status=502, text="<html>"), "502"),
        (
            lambda: web.Response(status=500, text="{", content_type="application/problem+json"),
            "unanswered answer-not-json",
        ),
        (lambda: web.Response(status=400, text="[]", content_type="application/problem+json"), "400"),
    ],
)
async def test_odd_answers_are_counted_and_redirects_not_followed(
    gateway: FakeGateway, answer: Callable[[], web.Response], text: str
) -> None:
    gateway.instead = lambda _: answer()
    report = await run_load(LoadPlan(20, 0.2, 1, PRODUCTS, "test", mix={Kind.BROWSE: 1}), gateway.url, KEYS)
    assert str(only(report)) == text


async def test_each_outcome_has_an_example_trace(gateway: FakeGateway) -> None:
    report = await run_load(LoadPlan(50, 0.5, 1, PRODUCTS, "test", mix={Kind.CHECKOUT_OK: 1}), gateway.url, KEYS)
    assert [counted.example_trace_id for _, counted in report.outcomes()] == [TRACE_ID]


async def test_a_result_names_the_order(gateway: FakeGateway) -> None:
    results: list[Result] = []
    mix = {Kind.CHECKOUT_OK: 1.0, Kind.CHECKOUT_DECLINED: 1.0}
    await run_load(LoadPlan(50, 0.5, 1, PRODUCTS, "test", mix=mix), gateway.url, KEYS, on_result=results.append)
    ordered = {(result.answer.outcome.status, result.answer.order_id) for result in results}
    assert ordered == {(201, "o-0"), (402, "o-1")}


async def test_progress_is_told_while_it_runs(gateway: FakeGateway) -> None:
    reports: list[LoadReport] = []
    await run_load(PLAN, gateway.url, KEYS, reports.append, limits=Limits(progress_every_s=0.1))
    sent = [report.sent for report in reports]
    assert len(reports) >= 3
    assert sent == sorted(sent)
    assert not any(report.finished for report in reports)


async def test_a_stop_ends_the_sending_and_keeps_what_was_found(gateway: FakeGateway) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)
    report = await run_load(LONG, gateway.url, KEYS, stop=stop)
    assert report.stopped_early
    assert report.finished
    assert 0 < report.sent == len(gateway.seen) < 200


async def test_a_cancelled_run_leaves_nothing_in_flight(gateway: FakeGateway) -> None:
    gateway.delay_s = 60
    run = asyncio.create_task(run_load(LONG, gateway.url, KEYS))
    await gateway.until(lambda: len(gateway.seen) >= 10)
    run.cancel()
    await asyncio.wait([run])
    await gateway.until(lambda: gateway.abandoned == len(gateway.seen))
    assert run.cancelled()


async def test_an_error_of_the_listener_ends_the_run(gateway: FakeGateway) -> None:
    def broken(_: LoadReport) -> None:
        raise LookupError("broken listener")

    with pytest.raises(ExceptionGroup) as raised:
        await run_load(LONG, gateway.url, KEYS, broken, limits=Limits(progress_every_s=0.1))
    assert raised.group_contains(LookupError, match="broken listener")


async def test_load_leaves_this_machine_under_no_circumstances() -> None:
    with pytest.raises(TargetError, match="loopback"):
        await run_load(PLAN, "http://192.0.2.1:80", KEYS)


async def test_there_is_a_key_for_every_user() -> None:
    with pytest.raises(PlanError, match="only 3 keys"):
        await run_load(PLAN, "http://127.0.0.1:80", KEYS[:3])
