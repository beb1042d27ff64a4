"""Numbers carry as many digits as their error supports."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adjudge.reports import numbers
from adjudge.reports.story import ForestRow


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (0.73184, 0.0123, "0.732"),
        (0.73184, 0.123, "0.73"),
        (0.73184, 0.0996, "0.73"),
        (0.73184, 0.0994, "0.732"),
        (-12.345, 3.4, "−12.3"),
        (53218.0, 1234.0, "53,200"),
        (-0.0004, 0.04, "0.000"),
        (0.5, 0.0, "0.500"),
        (0.5, math.nan, "0.500"),
        (math.nan, 0.1, "–"),
        (math.inf, 0.1, "∞"),
    ],
)
def test_a_value_is_rounded_by_its_error(value: float, stderr: float, text: str) -> None:
    assert numbers.estimate(value, stderr) == text


@settings(derandomize=True, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e5))
def test_rounding_never_moves_a_value_by_more_than_a_tenth_of_its_error(value: float, stderr: float) -> None:
    text = numbers.plain_ascii(numbers.estimate(value, stderr)).replace(",", "")
    # Two significant digits of the error: the last place is at most a tenth of it, rounding half of that; the error
    # itself may be rounded up to the next power of ten (0.0996 -> 0.10), never by more than 5 %.
    assert abs(float(text) - value) <= 0.053 * stderr + 1e-9


@settings(derandomize=True, deadline=None)
@given(st.floats(0, 1))
@example(0.005)
@example(0.995)
def test_an_estimated_probability_is_never_certain(share: float) -> None:
    assert numbers.percent(share) not in ("0\xa0%", "100\xa0%")


def test_an_interval_keeps_both_ends_alike() -> None:
    assert numbers.interval(-0.1012, 0.0334, 0.034) == "−0.101 to 0.033"
    assert numbers.interval(0.2, 0.9) == "0.20 to 0.90"
    assert numbers.interval(math.nan, 0.1, 0.1) == "–"
    assert numbers.interval(-math.inf, math.inf) == "−∞ to ∞"


def test_what_sampling_cannot_see_takes_digits_away() -> None:
    row = ForestRow("a", 0.7598, 0.012, 0.0, 1.0)
    assert numbers.estimate(row.value, row.error) == "0.76"
    assert numbers.interval(row.low, row.high, row.stderr) == "0.00 to 1.00"
    assert ForestRow("a", 0.7598, 0.012, 0.73, 0.78).error == 0.012
    assert math.isnan(ForestRow("a", 0.7598).error)


def test_signs_are_said_only_where_something_is_left() -> None:
    assert numbers.signed(0.00004, 0.01) == "0.000"
    assert numbers.signed(-0.00004, 0.01) == "0.000"
    assert numbers.signed(0.02, 0.01) == "+0.020"


def test_columns_share_their_decimals() -> None:
    assert numbers.common_places([0.5, math.nan, 12.25]) == 1
    assert numbers.common_places([]) == 0
    assert numbers.number(0.5) == "0.5"
    assert numbers.number(1234567.0) == "1,234,567"
