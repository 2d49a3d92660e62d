"""A place among other leaders, in fifths and only where there are enough of them."""

import math

import pandas as pd
import pytest

from reports.norms import fifth

# 1.00, 1.01, … 1.99: a hundred means.
OTHERS = pd.Series([1 + n / 100 for n in range(100)])


@pytest.mark.parametrize(
    ("mean", "expected"),
    # Below .5 % of ranks: 19.5 is in the first fifth, 20.5 in the second.
    [(0.5, 1), (1.19, 1), (1.20, 2), (1.395, 3), (1.50, 3), (1.80, 5), (1.99, 5), (2.5, 5)],
)
def test_fifths_by_hand(mean, expected):
    assert fifth(mean, OTHERS) == expected


def test_equal_means_count_half():
    """Where all are alike, everybody stands in the middle."""
    assert fifth(3.0, pd.Series([3.0] * 100)) == 3


def test_below_a_hundred_leaders_there_is_no_place():
    assert fifth(1.5, OTHERS[:99]) is None
    assert fifth(1.5, pd.concat([OTHERS[:99], pd.Series([math.nan] * 50)])) is None


def test_a_missing_mean_has_no_place():
    with pytest.raises(ValueError, match="needs a mean"):
        fifth(math.nan, OTHERS)
