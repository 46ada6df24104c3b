from chaos.measure.edges import Edge, traffic, unserved_call_s
from chaos.measure.samples import MOST, Ring, Sample, around, increase, pid_changes
from observability import semconv
from observability.exposition import Series, parse
from tests.unit.experiments.making import SITE, edge_series, sample

PAGE = """# HELP calls_total calls
# TYPE calls_total counter
calls_total{peer="a",said="a \\"b\\" \\\\ c\\nd, e"} 3
calls_total{peer="b"} 1.5e+01
calls_created{peer="a"} 1.7e9
lag_seconds 0.25
broken_total{peer="a"} many
"""

CALLS = Series("calls_total")


def grown(*values: float) -> float:
    return increase([sample(at_s, {CALLS: value}) for at_s, value in enumerate(values)], lambda _: True)


def test_only_the_wanted_metrics_are_read() -> None:
    found = parse(PAGE, {"calls_total", "lag_seconds", "broken_total"})
    assert found == {
        Series("calls_total", (("peer", "a"), ("said", 'a "b" \\ c\nd, e'))): 3.0,
        Series("calls_total", (("peer", "b"),)): 15.0,
        Series("lag_seconds"): 0.25,
    }


def test_a_counter_grows_by_its_difference() -> None:
    assert grown(5, 7, 12) == 7


def test_what_a_counter_had_before_the_first_sample_does_not_count() -> None:
    assert grown(100) == 0


def test_a_counter_that_began_anew_has_grown_by_what_it_shows() -> None:
    assert grown(5, 9, 2, 4) == 8


def test_a_counter_that_was_not_seen_for_a_while_is_not_counted_twice() -> None:
    seen = [sample(0, {CALLS: 5}), Sample(1), sample(2, {CALLS: 9})]
    assert increase(seen, lambda _: True) == 4


def test_a_series_that_appears_has_grown_from_zero() -> None:
    assert increase([sample(0, {}), sample(1, {CALLS: 3})], lambda _: True) == 3


def test_a_process_that_was_never_seen_before_may_have_counted_long_ago() -> None:
    assert increase([Sample(0), sample(1, {CALLS: 3})], lambda _: True) == 0


def test_the_ring_keeps_the_latest() -> None:
    ring = Ring()
    for at_s in range(MOST + 5):
        ring.add(Sample(at_s))
    assert len(ring.all()) == MOST
    assert ring.all()[0].at_s == 5


def test_a_span_of_time_has_the_samples_around_it() -> None:
    seen = [Sample(at_s) for at_s in range(10)]
    assert [each.at_s for each in around(seen, 2.5, 4.5)] == [2, 3, 4, 5]
    assert [each.at_s for each in around(seen, -1, 99)] == list(range(10))
    assert around([], 0, 1) == ()


def test_a_killed_process_has_changed() -> None:
    seen = [sample(at_s, {}, pid) for at_s, pid in enumerate((1, 1, None, None, 7))]
    assert pid_changes(seen, "orders-1") == 2
    assert pid_changes(seen, "payments-1") == 0


def test_attempts_for_each_call_without_those_that_never_left() -> None:
    attempts, calls = semconv.CALL_ATTEMPTS.prometheus_name, f"{semconv.CALL_DURATION.prometheus_name}_count"
    before = {edge_series(calls, "failure"): 0.0}
    after = {
        edge_series(attempts, "success"): 6.0,
        edge_series(attempts, "failure"): 4.0,
        edge_series(attempts, "rejected"): 50.0,
        edge_series(calls, "success"): 6.0,
        edge_series(calls, "failure"): 2.0,
    }
    went = traffic([sample(0, before), sample(1, after)], SITE, Edge("orders", "payments"))
    assert (went.calls, went.attempts, went.failed_attempts, went.amplification) == (8, 10, 4, 1.25)


def test_an_edge_without_calls_has_no_amplification() -> None:
    assert traffic([], SITE, Edge.parse("orders/payments")).amplification is None


def test_how_long_calls_take_that_are_not_served() -> None:
    """As the buckets tell it: 90 were turned away within 1 ms, 10 within 25 ms; those that were served do not count."""
    buckets = f"{semconv.CALL_DURATION.prometheus_name}_bucket"

    def within(bound: str, outcome: str) -> Series:
        series = edge_series(buckets, outcome)
        return Series(series.name, tuple(sorted((*series.labels, ("le", bound)))))

    before = {within(bound, "rejected"): 5.0 for bound in ("0.001", "0.025", "+Inf")}
    after = {
        within("0.001", "rejected"): 95.0,
        within("0.025", "rejected"): 105.0,
        within("+Inf", "rejected"): 105.0,
        within("+Inf", "success"): 1000.0,
    }
    seen = [sample(0, before), sample(1, after)]
    assert unserved_call_s(seen, SITE, Edge("orders", "payments"), 0.9) == 0.001
    assert unserved_call_s(seen, SITE, Edge("orders", "payments"), 0.99) == 0.025
    assert unserved_call_s(seen[:1], SITE, Edge("orders", "payments"), 0.99) is None
