"""A change between two rounds is called clear only where so few raters can carry it."""

import math

import pytest

from reports.change import change, clear_from


@pytest.mark.parametrize(("n", "difference"), [(5, 0.8322), (8, 0.6579), (15, 0.4805)])
def test_the_least_clear_change_by_hand(n, difference):
    # 1.64485 × 0.8 × √(2 / n).
    assert clear_from(n, n) == pytest.approx(difference, abs=5e-5)


def test_the_smaller_round_weighs_most():
    # 1.64485 × 0.8 × √(1/5 + 1/20) = 0.65794.
    assert clear_from(5, 20) == clear_from(20, 5) == pytest.approx(0.65794, abs=5e-5)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(3.0, 3.84, "more"), (3.84, 3.0, "less"), (3.0, 3.83, "unclear"), (3.0, 3.0, "unclear")],
)
def test_change_in_words(before, after, expected):
    assert change(before, 5, after, 5) == expected


def test_a_change_exactly_at_the_boundary_is_clear():
    assert change(3.0, 9, 3.0 + clear_from(9, 9), 9) == "more"


@pytest.mark.parametrize(("before", "after"), [(4, 9), (9, 4), (0, 0)])
def test_fewer_than_five_raters_carry_no_change(before, after):
    with pytest.raises(ValueError, match="carry no change"):
        change(3.0, before, 4.0, after)


def test_a_missing_mean_is_no_change():
    with pytest.raises(ValueError, match="two means"):
        change(math.nan, 5, 4.0, 5)
