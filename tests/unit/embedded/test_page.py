"""The HTML: whole, escaped, and complete without anything from elsewhere."""

import re
from html.parser import HTMLParser

import pytest

from observability.embedded import page
from observability.embedded.page import render_self_contained
from tests.unit.embedded.jaeger import retried_checkout, span, trace

VOID = {"meta", "link", "input", "br", "img", "hr"}
MARKUP = "<img src=x onerror=alert(1)>'\"&{{ 7*7 }}"


class Reader(HTMLParser):
    """Notes tags, attributes and text, and fails on a tag that is not closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""

    def classes(self) -> list[str]:
        return [name for _, attributes in self.tags for name in (attributes.get("class") or "").split()]


def test_the_summary_and_the_rows() -> None:
    read = Reader(render_self_contained(retried_checkout()))
    for text in (
        "gateway",
        "POST /api/v1/orders",
        "201",
        "1 ms",
        "3 attempts, 2 failed",
        "attempt 1 of 3",
        "refused",
    ):
        assert text in re.sub(r"\s+", " ", read.text)
    assert read.classes().count("row") == 7
    assert read.classes().count("seg") == 3
    assert read.classes().count("wait") == 2
    assert read.classes().count("fold") == 4


def test_nothing_is_loaded_and_nothing_runs() -> None:
    html = render_self_contained(retried_checkout())
    read = Reader(html)
    assert not {"script", "iframe", "img", "object"} & {tag for tag, _ in read.tags}
    targets = [
        value or ""
        for _, attributes in read.tags
        for key, value in attributes.items()
        if key in ("href", "src", "action")
    ]
    assert all(each.startswith(("#", "data:")) for each in targets)
    assert "url(" not in html
    assert "@import" not in html


def test_markup_in_names_is_text() -> None:
    made = span(MARKUP, tags={MARKUP: MARKUP, "error": True, "otel.status_description": MARKUP}, service=MARKUP)
    made["logs"] = [{"timestamp": 1_000_001, "fields": [{"key": "event", "type": "string", "value": MARKUP}]}]
    made["warnings"] = [MARKUP]
    child = span("child", parent=made)
    read = Reader(render_self_contained(trace(made, child)))
    assert "img" not in {tag for tag, _ in read.tags}
    assert not any(key.startswith("on") for _, attributes in read.tags for key in attributes)
    assert read.text.count(MARKUP) >= 5


def test_a_single_span_of_no_length() -> None:
    assert "0 µs" in Reader(render_self_contained(trace(span(duration=0)))).text


def test_more_rows_than_anybody_reads_are_left_out() -> None:
    root = span("root")
    spans = [root, *(span("child", number, parent=root) for number in range(page.MAX_ROWS + 9))]
    read = Reader(render_self_contained(trace(*spans)))
    assert read.classes().count("row") == page.MAX_ROWS
    assert "10 more rows are not drawn" in read.text


def test_a_cut_inside_a_tree_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_ROWS", 3)
    assert Reader(render_self_contained(retried_checkout())).classes().count("row") == 3


def test_services_have_colours_of_their_own_that_stay() -> None:
    few = page.colours(["gateway", "inventory"])
    four = page.colours(["payments", "orders", "inventory", "gateway"])
    assert len(set(four.values())) == 4
    assert few.items() <= four.items()
    assert len(page.colours(map(str, range(50)))) == 50


def test_links_are_followed_only_online() -> None:
    made = span()
    made["references"] = [{"refType": "FOLLOWS_FROM", "traceID": "abc", "spanID": "def"}]
    assert 'href="/trace/abc#span-def"' in page.render_trace(trace(made), online=True)
    assert "/trace/" not in render_self_contained(trace(made))


def test_sql_is_shown_by_its_text_and_begins_hidden() -> None:
    root = span("root", 0, 100)
    unit = span("orders-db save", 10, 50, parent=root)
    sql = {"db.system.name": "sqlite", "db.query.text": "SELECT 1\n  FROM orders"}
    quiet = trace(root, unit, span("SELECT orders-db", 20, 5, sql, parent=unit))
    read = Reader(render_self_contained(quiet))
    assert "SELECT 1 FROM orders" in read.text
    assert [("checked" in attributes) for tag, attributes in read.tags if tag == "input"] == [False, True]
    failed = trace(root, unit, span("SELECT orders-db", 20, 5, {**sql, "error": True}, parent=unit))
    assert "checked" not in [key for _, attributes in Reader(render_self_contained(failed)).tags for key in attributes]
