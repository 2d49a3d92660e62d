"""Average deviation by hand."""

import math

import pandas as pd
import pytest

from reports.agreement import average_deviation, spread


def test_average_deviation_by_hand():
    # A: mean 3, deviations 2, 0, 2 → 4/3. B: all alike → 0. Their mean is 2/3.
    frame = pd.DataFrame({"A": [1.0, 3.0, 5.0], "B": [4.0, 4.0, 4.0]})

    assert average_deviation(frame) == pytest.approx(2 / 3)


def test_missing_answers_are_left_out_item_by_item():
    # A: mean 3 of 2 and 4 → 1. B has one answer only and does not count.
    frame = pd.DataFrame({"A": [2.0, 4.0, math.nan], "B": [5.0, math.nan, math.nan]})

    assert average_deviation(frame) == 1.0


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="two raters"):
        average_deviation(pd.DataFrame({"A": [3.0, math.nan]}))


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ([3.0, 4.0], "alike"),  # deviation 0.5
        ([3.0, 4.6], "somewhat"),  # 0.8
        ([3.0, 5.0], "differently"),  # 1.0
    ],
)
def test_spread_in_words_at_the_boundaries(answers, word):
    assert spread(pd.DataFrame({"A": answers})) == word
