"""Agreement by hand."""

import math

import pandas as pd
import pytest

from reports.agreement import average_deviation, rwg, rwg_j, spread


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


def test_rwg_by_hand():
    # Variance 1/3 against (5² − 1) / 12 = 2 by chance: 1 − 1/6.
    assert rwg(pd.Series([4.0, 4.0, 5.0, 5.0]), points=5) == pytest.approx(5 / 6)


def test_rwg_is_one_where_all_agree_and_never_below_zero():
    assert rwg(pd.Series([3.0, 3.0, 3.0]), points=5) == 1.0
    # Variance 16/3, more than twice that of chance.
    assert rwg(pd.Series([1.0, 5.0, 1.0, 5.0]), points=5) == 0.0


def test_missing_answers_do_not_count_towards_rwg():
    assert rwg(pd.Series([4.0, math.nan, 4.0, 5.0, 5.0]), points=5) == pytest.approx(5 / 6)


@pytest.mark.parametrize(("points", "by_chance"), [(5, 2.0), (7, 4.0), (9, 20 / 3)])
def test_chance_is_an_even_spread_over_the_scale(points, by_chance):
    """σ²EU as James, Demaree & Wolf (1984) define it, p. 88: (A² − 1) / 12."""
    # Answers with a variance of 1: 2, 3, 4.
    assert rwg(pd.Series([2.0, 3.0, 4.0]), points) == pytest.approx(1 - 1 / by_chance)


def test_rwg_j_by_hand():
    # Variances 1/3 and 1, mean 2/3, a third of chance: 2 · 2/3 / (2 · 2/3 + 1/3) = 4/5.
    frame = pd.DataFrame({"A": [4.0, 4.0, 5.0, 5.0], "B": [2.0, 3.0, 4.0, math.nan]})

    assert rwg_j(frame, points=5) == pytest.approx(4 / 5)


def test_rwg_j_of_parallel_items_is_rwg_stepped_up():
    """The formula is Spearman and Brown's (James, Demaree & Wolf, 1984): J r / (1 + (J−1) r)."""
    one = [4.0, 4.0, 5.0, 5.0]
    frame = pd.DataFrame(dict.fromkeys("ABC", one))

    assert rwg_j(frame, points=5) == pytest.approx(3 * 5 / 6 / (1 + 2 * 5 / 6))


def test_rwg_j_stays_between_none_and_full_agreement():
    apart = pd.DataFrame({"A": [1.0, 5.0, 1.0, 5.0], "B": [1.0, 5.0, 5.0, 1.0]})
    alike = pd.DataFrame({"A": [2.0, 2.0], "B": [4.0, 4.0]})

    assert rwg_j(apart, points=5) == 0.0
    assert rwg_j(alike, points=5) == 1.0


@pytest.mark.parametrize(
    ("answers", "points", "reason"),
    [
        ([4.0], 5, "two raters"),
        ([], 5, "two raters"),
        ([4.0, math.nan], 5, "two raters"),
        ([4.0, 6.0], 5, "outside the scale"),
        ([0.0, 4.0], 5, "outside the scale"),
        ([1.0, 1.0], 1, "no scale"),
    ],
)
def test_what_carries_no_agreement_is_refused(answers, points, reason):
    with pytest.raises(ValueError, match=reason):
        rwg(pd.Series(answers, dtype="float64"), points)


def test_an_even_spread_deviates_as_published():
    # Burke, Finkelstein & Dusig (1999): answers 1…5 deviate by (2 + 1 + 0 + 1 + 2) / 5.
    assert average_deviation(pd.DataFrame({"A": [1.0, 2.0, 3.0, 4.0, 5.0]})) == pytest.approx(1.2)
