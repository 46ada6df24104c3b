"""Two traces side by side."""

from observability.embedded.pages.comparison import Compared, compare
from observability.embedded.waterfall import build
from tests.unit.embedded.jaeger import JsonObject, call, retried_checkout, span, trace


def compared(first: JsonObject, second: JsonObject) -> dict[tuple[str, int], Compared]:
    return {(each.operation, each.attempt): each for each in compare(build(first), build(second))}


def test_a_trace_is_the_same_as_itself() -> None:
    same = compare(build(retried_checkout()), build(retried_checkout()))
    assert {each.verdict for each in same} == {"same"}
    assert [each.depth for each in same] == [row.depth for row in build(retried_checkout()).rows]


def test_what_one_did_alone_and_what_took_longer() -> None:
    first, second = span("root", 0, 100), span("root", 0, 150)
    lines = compared(
        trace(first, span("both", 0, 40, parent=first), span("old", 50, 10, parent=first)),
        trace(second, span("both", 0, 20, parent=second), span("new", 50, 10, parent=second)),
    )
    assert [(name, each.verdict, each.difference_us) for (name, _), each in lines.items()] == [
        ("root", "slower", 50),
        ("both", "faster", -20),
        ("old", "gone", -10),
        ("new", "new", 10),
    ]
    assert (lines["root", 0].width, lines["both", 0].width) == ("100.0", "40.0")


def test_spans_at_one_place_are_counted_together() -> None:
    root = span("root", 0, 100)
    each = compared(trace(root, *(span("save", at, 10, parent=root) for at in (0, 20, 40))), trace(span("root")))
    assert (each["save", 0].first.count, each["save", 0].first.duration_us) == (3, 30)


def test_attempts_are_places_of_their_own() -> None:
    root, again = span("root", 0, 200), span("root", 0, 200)
    lines = compared(
        trace(root, *call(root, [(0, 10, "refused"), (50, 20, "")])),
        trace(again, *call(again, [(0, 10, "refused"), (50, 20, "refused"), (80, 5, "")])),
    )
    attempts = {number: each for (_, number), each in lines.items() if number}
    assert {number: each.verdict for number, each in attempts.items()} == {1: "same", 2: "same", 3: "new"}
    assert (attempts[2].first.failed, attempts[2].second.failed) == (0, 1)


def test_statements_that_went_well_are_left_out() -> None:
    root = span("root", 0, 100)
    unit = span("orders-db save", 0, 50, parent=root)
    sql = {"db.query.text": "SELECT 1"}
    made = trace(
        root, unit, span("SELECT", 0, 5, sql, parent=unit), span("UPDATE", 5, 5, {**sql, "error": True}, parent=unit)
    )
    assert [name for name, _ in compared(made, made)] == ["root", "orders-db save", "UPDATE"]
