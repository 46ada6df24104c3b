from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.load.histogram import Histogram


@given(st.lists(st.floats(1e-5, 1e3), min_size=1), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_one_percent_of_the_true_one(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    true = sorted(values)[ceil(share * len(values)) - 1]
    assert histogram.percentile(share) == pytest.approx(true, rel=0.0101)
    assert histogram.max == max(values)


def test_nothing_recorded_has_no_percentiles() -> None:
    assert Histogram().percentile(0.5) is None


@pytest.mark.parametrize("value", [0.0, -0.001, 1e-12])
def test_times_too_short_to_tell_count_as_a_microsecond(value: float) -> None:
    histogram = Histogram()
    histogram.record(value)
    assert histogram.count == 1
    assert histogram.percentile(1.0) == histogram.max == max(0.0, value)
