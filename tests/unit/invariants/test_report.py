import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from chaos.invariants import INVARIANTS, Report
from chaos.invariants.evidence import Evidence
from chaos.invariants.report import counts
from chaos.invariants.table import SHOWN, report_view
from tests.unit.invariants.stories import ALL, MAX_PENDING_S, NOW_US, SOLD, left_behind


def report_of(evidence: Evidence, *, moving: bool = False) -> Report:
    checked = tuple(each.check(evidence) for each in INVARIANTS)
    return Report(checked, counts(evidence), NOW_US, MAX_PENDING_S, moving)


def text_of(report: Report, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(report_view(report))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


HEALTHY = left_behind(ALL)
UNPAID = replace(HEALTHY, payments=HEALTHY.payments[1:])


def test_a_healthy_report() -> None:
    text = text_of(report_of(HEALTHY))
    assert f"All {len(INVARIANTS)} invariants hold." in text
    assert "Orders: 7 (2 cancelled, 2 confirmed, 1 pending, 2 rejected)." in " ".join(text.split())


def test_a_violation_is_told_with_what_was_found_and_expected() -> None:
    text = text_of(report_of(UNPAID))
    assert "confirmed-order-is-charged-once: A confirmed order has exactly one payment, which is captured." in text
    assert all(part in text for part in (SOLD.order_id, "no payment", "one payment, captured"))
    assert f"1 of {len(INVARIANTS)} invariants are broken; violations: 1." in text


def test_json_has_everything() -> None:
    read = json.loads(json.dumps(report_of(UNPAID).as_dict()))
    assert read["ok"] is False
    assert read["counts"]["orders"] == {"cancelled": 2, "confirmed": 2, "pending": 1, "rejected": 2}
    [violation] = [each for checked in read["checked"] for each in checked["violations"]]
    assert violation == {
        "invariant": "confirmed-order-is-charged-once",
        "subject": SOLD.order_id,
        "found": "no payment",
        "expected": "one payment, captured",
    }
    assert json.loads(json.dumps(report_of(HEALTHY).as_dict()))["ok"] is True


def test_a_flood_of_violations_is_cut_short() -> None:
    sold = [replace(SOLD, order_id=f"ord-{number}", payment=None) for number in range(SHOWN + 5)]
    report = report_of(left_behind(sold))
    assert len(report.violations) == SHOWN + 5
    assert "and 5 more" in text_of(report)
    assert "no payment" in text_of(report)


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_cut_off(width: int) -> None:
    long = replace(SOLD, order_id=f"ord_{'0123456789abcdef' * 2}", payment=None, reservation=None)
    text = text_of(report_of(left_behind([long])), width)
    assert "…" not in text
    assert all(word in text for word in (long.order_id, "captured", "reservation,", "confirmed"))
    assert max(map(len, text.splitlines())) <= width


def test_names_are_no_markup() -> None:
    odd = replace(SOLD, order_id="[red]ord[/red]", payment=None)
    assert "[red]ord[/red]" in text_of(report_of(left_behind([odd])))


def test_a_moving_system_is_said_to_be_moving() -> None:
    said = "Verify again at rest."
    assert said in text_of(report_of(HEALTHY, moving=True))
    assert said not in text_of(report_of(HEALTHY))


def test_a_second_look_keeps_what_the_first_saw_too() -> None:
    first, healthy = report_of(UNPAID, moving=True), report_of(HEALTHY)
    assert report_of(UNPAID).also_in(first).violations == first.violations
    assert report_of(UNPAID).also_in(healthy).ok, "it was not wrong at the first look: it was under way at the second"
    assert healthy.also_in(first).ok
    assert len(healthy.also_in(first).checked) == len(INVARIANTS)
