"""What is asked with the search form, and what it says of a field that cannot be read."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.pages.search_form import SearchForm
from observability.embedded.ports import TraceQuery
from tests.unit.embedded.spans import MS


def asked(sent: str) -> TraceQuery:
    return SearchForm.of(QueryParams(sent)).query()


def test_without_anything_the_newest_are_asked_for() -> None:
    assert asked("") == TraceQuery(limit=100)
    assert not SearchForm.of(QueryParams("limit=20")).is_narrow


def test_every_field_is_asked_for() -> None:
    sent = "service=orders&operation=+save+&tags=a%3D1+b%3D%22x+y%22&minDuration=5ms&maxDuration=2+s&fault=latency&errors=1&limit=20"
    assert asked(sent) == TraceQuery(
        limit=20,
        service="orders",
        operation="save",
        tags={"a": "1", "b": "x y"},
        min_duration_ns=5 * MS,
        max_duration_ns=2_000 * MS,
        fault="latency",
        failed_only=True,
    )
    assert SearchForm.of(QueryParams(sent)).is_narrow


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("'a key'=1", {"a key": "1"}),
        ('{"a": "x y"}', {"a": "x y"}),
    ],
)
def test_tags(text: str, tags: dict[str, str]) -> None:
    assert SearchForm(tags=text).query().tags == tags


@pytest.mark.parametrize(("text", "fault"), [("", None), ("any", ""), ("ANY", ""), ("f-1", "f-1")])
def test_any_fault_is_a_word(text: str, fault: str | None) -> None:
    assert SearchForm(fault=text).query().fault == fault


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (SearchForm(min_duration="soon"), "At least: “soon” is no duration; write 200ms, 1.5s or 2m."),
        (SearchForm(max_duration="5"), "At most: “5” is no duration; write 200ms, 1.5s or 2m."),
        (SearchForm(min_duration="2s", max_duration="1s"), "No duration is at least 2s and at most 1s."),
        (SearchForm(tags="error"), "Tags: “error” is not key=value."),
        (SearchForm(tags="=1"), "Tags: “1” is not key=value."),
        (SearchForm(tags='a="b'), "Tags: a quotation mark is not closed."),
        (SearchForm(tags="{"), "Tags: malformed"),
        (SearchForm(tags='{"a": 1}'), "Tags: malformed"),
    ],
)
def test_what_cannot_be_read_is_said(form: SearchForm, said: str) -> None:
    with pytest.raises(BadParameterError) as refused:
        form.query()
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("limit", ["", "0", "-1", "501", "x", "9" * 5_000, "²"])
def test_a_limit_that_is_none_is_the_usual_one(limit: str) -> None:
    assert SearchForm.of(QueryParams({"limit": limit})).limit == 100


@given(st.dictionaries(st.sampled_from(["tags", "minDuration", "maxDuration", "fault", "limit"]), st.text(max_size=30)))
def test_any_text_is_a_query_or_refused(sent: dict[str, str]) -> None:
    with contextlib.suppress(BadParameterError):
        assert 1 <= SearchForm.of(QueryParams(sent)).query().limit <= 500
