"""Stories: what happens to a system, and what the evaluator says of it."""

from datetime import datetime, timedelta

import pytest

from tests.unit.alerting.making import (
    ATTEMPTS,
    BREAKER,
    BROWSE,
    CHECKOUT,
    REJECTIONS,
    SHED,
    SPANS,
    STEP_S,
    WITHIN,
    Watched,
    target,
)

PAGE = "page"
NAME = "CheckoutAvailabilityBurnRate"


@pytest.fixture
def watched() -> Watched:
    return Watched()


def healthy(watched: Watched) -> None:
    watched.requests(CHECKOUT, _201=8, _503=0)
    watched.requests(BROWSE, _200=20)


def called(watched: Watched, caller: str, callee: str) -> None:
    healthy(watched)
    watched.add(caller, REJECTIONS, 1, faultline_callee=callee)


def half_failing(watched: Watched) -> None:
    watched.requests(CHECKOUT, _201=4, _503=4)
    watched.requests(BROWSE, _200=20)


def test_half_of_the_checkouts_failing_pages_within_a_minute_and_resolves_within_two(watched: Watched) -> None:
    watched.pass_(360, lambda: healthy(watched))
    assert watched.told() == []
    detected_s = watched.until(lambda: watched.state(NAME, PAGE) == "firing", lambda: half_failing(watched), 60)
    assert detected_s > 10
    assert ("firing", NAME, PAGE) in watched.told()
    watched.pass_(20, lambda: half_failing(watched))
    recovered_s = watched.until(lambda: not watched.state(NAME, PAGE), lambda: healthy(watched), 120)
    assert recovered_s > 5
    assert ("resolved", NAME, PAGE) in watched.told()


def an_outage_begins(watched: Watched) -> int:
    """How many notifications there are until then."""
    watched.pass_(360, lambda: healthy(watched))
    watched.pass_(4, lambda: half_failing(watched))
    return len(watched.delivered)


def it_goes_on_and_ends(watched: Watched) -> None:
    watched.pass_(40, lambda: half_failing(watched))
    watched.pass_(120, lambda: healthy(watched))


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_wall_clock_that_is_set_changes_what_is_shown_and_nothing_else(watched: Watched, step_s: float) -> None:
    unmoved = Watched()
    before = an_outage_begins(watched)
    assert an_outage_begins(unmoved) == before
    watched.wall_s += step_s
    it_goes_on_and_ends(watched)
    it_goes_on_and_ends(unmoved)
    assert ("resolved", NAME, PAGE) in watched.told()
    assert watched.told() == unmoved.told()
    assert watched.evaluator.objectives() == unmoved.evaluator.objectives()
    pairs = zip(watched.delivered[before:], unmoved.delivered[before:], strict=True)
    assert {(each.at_s - other.at_s, each.starts_s - other.starts_s) for each, other in pairs} == {(step_s, step_s)}


def test_an_alert_is_shown_as_old_as_it_is_though_the_wall_clock_was_set(watched: Watched) -> None:
    watched.pass_(20, lambda: healthy(watched))
    watched.pass_(20)
    (first,) = [each for each in watched.evaluator.alerts() if each["alertname"] == "NoTraffic"]
    watched.wall_s -= 3600
    watched.pass_(STEP_S)
    (shown,) = [each for each in watched.evaluator.alerts() if each["alertname"] == "NoTraffic"]
    assert datetime.fromisoformat(first["since"]) - datetime.fromisoformat(shown["since"]) == timedelta(hours=1)


def test_a_ticket_is_silenced_while_its_page_fires(watched: Watched) -> None:
    watched.pass_(60, lambda: healthy(watched))
    watched.pass_(60, lambda: half_failing(watched))
    silenced = {each["severity"]: each["silenced"] for each in watched.evaluator.alerts() if each["alertname"] == NAME}
    assert silenced == {"page": False, "ticket": True}
    watched.until(lambda: not watched.state(NAME, PAGE), lambda: healthy(watched), 120)
    silenced = {each["severity"]: each["silenced"] for each in watched.evaluator.alerts() if each["alertname"] == NAME}
    assert silenced == {"ticket": False}


def test_as_long_as_an_hour_is_in_demo_windows_a_healthy_system_alerts_nobody(watched: Watched) -> None:
    watched.pass_(120, lambda: healthy(watched))
    assert watched.told() == []
    assert [each["alertname"] for each in watched.evaluator.alerts()] == ["Watchdog"]


def test_a_little_less_than_the_burn_rate_is_no_page(watched: Watched) -> None:
    watched.pass_(360, lambda: healthy(watched))
    watched.pass_(90, lambda: watched.requests(CHECKOUT, _201=6.88, _503=1.12))
    assert watched.state(NAME, PAGE) == ""


def test_few_failures_are_bad_luck(watched: Watched) -> None:
    watched.pass_(20, lambda: None)
    watched.requests(CHECKOUT, _503=4)
    watched.pass_(20)
    assert watched.state(NAME, PAGE) == ""
    watched.requests(CHECKOUT, _503=1)
    watched.pass_(STEP_S)
    assert watched.state(NAME, PAGE) == "firing"


@pytest.mark.parametrize(
    ("journey", "bad", "name"),
    [
        (CHECKOUT, {"_202": 8.0}, "CheckoutPendingBurnRate"),
        (BROWSE, {"_503": 20.0}, "BrowseAvailabilityBurnRate"),
    ],
)
def test_each_objective_has_its_own_alert(
    watched: Watched, journey: dict[str, str], bad: dict[str, float], name: str
) -> None:
    watched.pass_(60, lambda: healthy(watched))
    watched.pass_(40, lambda: watched.requests(journey, **bad))
    assert {each for _, each, _ in watched.told()} == {name}


def test_slow_answers_are_an_objective_of_their_own(watched: Watched) -> None:
    def slow() -> None:
        watched.requests(CHECKOUT, _201=8)
        for le in ("0.25", "0.5"):
            watched.add("gateway", WITHIN, -8, **CHECKOUT, http_response_status_code="200", le=le)

    watched.pass_(60, lambda: healthy(watched))
    watched.pass_(60, slow)
    assert {each for _, each, _ in watched.told()} == {"CheckoutLatencyBurnRate"}


def test_degraded_answers_are_counted_by_the_fallbacks_that_gave_them(watched: Watched) -> None:
    labels = {"faultline_callee": "inventory", "faultline_fallback_result": "served", "faultline_operation": "list"}

    def degraded() -> None:
        healthy(watched)
        watched.add("gateway", "faultline_fallbacks_total", 20, **labels)

    watched.pass_(60, lambda: healthy(watched))
    watched.pass_(60, degraded)
    assert {each for _, each, _ in watched.told()} == {"BrowseDegradedBurnRate"}


def test_a_restarted_gateway_is_no_outage_and_hides_none(watched: Watched) -> None:
    watched.pass_(60, lambda: healthy(watched))
    watched.restart("gateway")
    watched.pass_(30, lambda: healthy(watched))
    assert watched.told() == []
    watched.pass_(20, lambda: half_failing(watched))
    watched.restart("gateway")
    watched.until(lambda: watched.state(NAME, PAGE) == "firing", lambda: half_failing(watched), 60)


def test_without_requests_there_is_no_share(watched: Watched) -> None:
    watched.pass_(20)
    (first, *_) = watched.evaluator.objectives()
    assert first["slo"] == "checkout-availability"
    assert first["budget_remaining"] is None
    assert set(first["burn_rates"].values()) == {None}


def test_the_budget_left_is_told(watched: Watched) -> None:
    watched.pass_(20, lambda: watched.requests(CHECKOUT, _201=995, _503=5))
    found = {each["slo"]: each for each in watched.evaluator.objectives()}["checkout-availability"]
    assert found["budget_remaining"] == pytest.approx(0.5)
    assert found["burn_rates"]["1m"] == pytest.approx(0.5)
    assert (found["target"], found["period"]) == (0.99, "12h")


def test_no_traffic_is_told_after_a_while(watched: Watched) -> None:
    watched.pass_(20, lambda: healthy(watched))
    watched.pass_(30)
    assert watched.state("NoTraffic", "ticket") == "pending"
    watched.pass_(20)
    assert ("firing", "NoTraffic", "ticket") in watched.told()
    watched.pass_(4, lambda: watched.requests(BROWSE, _200=1))
    assert ("resolved", "NoTraffic", "ticket") in watched.told()


def test_a_breaker_that_does_not_close_is_told_by_the_callee_it_is_for() -> None:
    watched = Watched("gateway", "orders", "payments")
    labels = {"faultline_callee": "payments"}
    for seconds, state in ((10, "closed"), (4, "open"), (2, "half_open"), (8, "open")):
        for each in ("closed", "open", "half_open"):
            watched.put("orders", BREAKER, float(each == state), **labels, faultline_circuit_breaker_state=each)
        watched.pass_(seconds, lambda: called(watched, "orders", "payments"))
    (told,) = [each for each in watched.delivered if each.labels["alertname"] == "CircuitBreakerOpenTooLong"]
    assert (told.labels["service"], told.labels["callee"]) == ("orders", "payments")
    assert told.summary.startswith("orders has not reached payments")


@pytest.mark.parametrize("counter", [REJECTIONS, ATTEMPTS])
def test_an_open_breaker_is_told_only_while_somebody_would_call(counter: str) -> None:
    watched = Watched("gateway", "orders")
    watched.add("orders", counter, 1, faultline_callee="payments")
    watched.put("orders", BREAKER, 1, faultline_callee="payments", faultline_circuit_breaker_state="open")
    watched.pass_(60, lambda: watched.add("orders", counter, 1, faultline_callee="inventory"))
    assert watched.state("CircuitBreakerOpenTooLong", "ticket") == ""
    watched.pass_(14, lambda: watched.add("orders", counter, 1, faultline_callee="payments"))
    assert watched.state("CircuitBreakerOpenTooLong", "ticket") == "firing"
    watched.pass_(12)
    assert watched.state("CircuitBreakerOpenTooLong", "ticket") == ""


def test_a_dead_service_silences_what_its_callers_say_of_it() -> None:
    watched = Watched("gateway", "orders", "payments")
    watched.pass_(10, lambda: healthy(watched))
    watched.away.add(target("payments"))
    watched.put("orders", BREAKER, 1, faultline_callee="payments", faultline_circuit_breaker_state="open")
    watched.put("gateway", BREAKER, 1, faultline_callee="orders", faultline_circuit_breaker_state="open")

    def refused() -> None:
        called(watched, "orders", "payments")
        called(watched, "gateway", "orders")

    watched.pass_(20, refused)
    told = {(each.labels["alertname"], each.labels.get("service")) for each in watched.delivered}
    assert told == {("Watchdog", None), ("TargetDown", "payments"), ("CircuitBreakerOpenTooLong", "gateway")}


def test_a_process_that_never_answered_still_starts() -> None:
    watched = Watched("gateway", "orders")
    watched.away.add(target("orders"))
    watched.pass_(60, lambda: healthy(watched))
    assert watched.state("TargetDown", PAGE) == ""
    watched.away.clear()
    watched.pass_(4, lambda: healthy(watched))
    watched.away.add(target("orders"))
    watched.pass_(14, lambda: healthy(watched))
    assert watched.state("TargetDown", PAGE) == "firing"


def test_shed_load_and_lost_spans_are_told() -> None:
    watched = Watched("gateway", "payments")
    watched.add("gateway", SHED, 0)
    watched.add("payments", SPANS, 0, faultline_telemetry_result="dropped")
    watched.pass_(10, lambda: healthy(watched))
    watched.add("payments", SPANS, 1, faultline_telemetry_result="dropped")

    def saturated() -> None:
        healthy(watched)
        watched.add("gateway", SHED, 4)

    watched.pass_(24, saturated)
    assert set(watched.told()) >= {("firing", "TelemetryDropped", "ticket"), ("firing", "ServiceSaturated", "ticket")}
    assert ("resolved", "TelemetryDropped", "ticket") in watched.told()
