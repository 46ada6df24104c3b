"""Bytes that are in every span that has a tag, and in few others."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from observability.embedded.attributes import text
from observability.embedded.wire_needles import finder, needles
from tests.unit.embedded.spans import Made, record

SCALARS = st.one_of(
    st.builds(lambda value: AnyValue(string_value=value), st.text(max_size=12)),
    st.builds(lambda value: AnyValue(bool_value=value), st.booleans()),
    st.builds(lambda value: AnyValue(int_value=value), st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda value: AnyValue(double_value=value), st.floats()),
    st.builds(lambda value: AnyValue(bytes_value=value), st.binary(max_size=9)),
    st.just(AnyValue()),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda values: AnyValue(array_value=ArrayValue(values=values)), st.lists(inner, max_size=2)),
        st.builds(lambda value: AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=value)])), inner),
    ),
    max_leaves=3,
)


@given(st.sampled_from(["", "k", "event", "http.route"]), VALUES)
def test_what_has_a_tag_holds_one_of_its_needles(key: str, value: AnyValue) -> None:
    found = needles(key, text(value))
    wire = KeyValue(key=key, value=value).SerializeToString()
    assert found is None or finder(found)(wire)


@pytest.mark.parametrize("value", [0.0, -0.0, math.inf, -math.inf, math.nan, 1e21, 5e-324])
def test_odd_numbers_are_no_exception(value: float) -> None:
    wire = KeyValue(key="k", value=AnyValue(double_value=value)).SerializeToString()
    found = needles("k", text(AnyValue(double_value=value)))
    assert found
    assert finder(found)(wire)


@pytest.mark.parametrize(
    ("key", "value"), [("event", "sent"), ("otel.status_description", "refused"), ("w3c.tracestate", "a=b")]
)
def test_text_that_is_a_field_of_its_own_is_found(key: str, value: str) -> None:
    span = Made(message="refused", events=[("sent", {})]).span()
    span.trace_state = "a=b"
    assert finder(needles(key, value) or ())(span.SerializeToString())


@pytest.mark.parametrize(("key", "value"), [("k", "9"), ("k", "true"), ("k", "text"), ("event", "other")])
def test_what_has_another_value_is_told_apart(key: str, value: str) -> None:
    payload = record(Made(tags={"k": 8, "l": 9, "m": "text"}, events=[("k", {"k": False})])).payload
    assert not finder(needles(key, value) or ())(payload)
