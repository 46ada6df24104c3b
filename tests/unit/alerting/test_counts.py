from observability.alerting.counts import Counts, Key, Scrape, Stream, grown
from observability.alerting.targets import Target
from observability.exposition import Series
from observability.stack.indicators import Selection

ERRORS = Series("errors_total", (("status", "503"),))
STREAM = Stream("errors", (Selection("errors_total", (("service", "gateway"), ("status", "5.."))),), ("status",))
KEY = Key("errors", ("503",))
ONE, OTHER = Target("gateway", "gateway-1", "a:1"), Target("gateway", "gateway-2", "a:2")


def test_what_a_process_counted_before_it_was_first_asked_does_not_count() -> None:
    counts = Counts([STREAM])
    counts.add([Scrape(ONE, {ERRORS: 100.0})])
    assert counts.totals[KEY] == 0
    counts.add([Scrape(ONE, {ERRORS: 103.0})])
    assert counts.totals[KEY] == 3


def test_a_reset_counter_goes_on_from_zero() -> None:
    counts = Counts([STREAM])
    for value in (10.0, 15.0, 2.0, 4.0):
        counts.add([Scrape(ONE, {ERRORS: value})])
    assert counts.totals[KEY] == 5 + 2 + 2


def test_a_series_that_is_new_at_a_known_process_counts_from_zero() -> None:
    counts = Counts([STREAM])
    counts.add([Scrape(ONE, {})])
    counts.add([Scrape(ONE, {ERRORS: 1.0})])
    assert counts.totals[KEY] == 1


def test_a_process_that_did_not_answer_is_continued_where_it_was() -> None:
    counts = Counts([STREAM])
    for samples in ({ERRORS: 1.0}, None, {ERRORS: 4.0}):
        counts.add([Scrape(ONE, samples)])
    assert counts.totals[KEY] == 3


def test_replicas_are_summed_and_others_are_not_counted() -> None:
    counts = Counts([STREAM])
    orders = Target("orders", "orders-1", "a:3")
    fine = Series("errors_total", (("status", "404"),))
    for value in (0.0, 2.0):
        counts.add([Scrape(each, {ERRORS: value, fine: value}) for each in (ONE, OTHER, orders)])
    assert dict(counts.totals) == {KEY: 4.0}


def test_growth() -> None:
    assert (grown(3, 5), grown(5, 5), grown(5, 1)) == (2, 0, 1)
