"""Bands against the normal and t distributions as tabled."""

import math

import pytest

from reports.intervals import fixed_band, moderated_band, wilson


@pytest.mark.parametrize(
    ("n", "half"), [(3, 0.7597), (4, 0.6579), (5, 0.5885), (6, 0.5372), (7, 0.4974)]
)
def test_fixed_band_by_hand(n, half):
    # z for 90 % two-sided is 1.64485 in tables; 1.64485 × 0.8 / √n.
    low, high = fixed_band(3.0, n, points=5)

    assert high - 3 == pytest.approx(half, abs=5e-5)
    assert 3 - low == pytest.approx(half, abs=5e-5)


def test_a_band_ends_where_the_scale_ends():
    assert fixed_band(4.9, 3, points=5)[1] == 5.0
    assert fixed_band(1.1, 3, points=5)[0] == 1.0


def test_moderated_band_by_hand():
    # n = 10, s = 0.5: s̃² = (4 × 0.65² + 9 × 0.5²) / 13 = (1.69 + 2.25) / 13 = 0.303077;
    # t with 13 degrees of freedom, 95 %, is 1.771 in tables; 1.771 × 0.550525 / √10 = 0.30831.
    low, high = moderated_band(3.0, sd=0.5, n=10, points=5)

    assert (high - low) / 2 == pytest.approx(0.30831, abs=2e-4)


def test_raters_who_all_agree_still_leave_a_band():
    low, high = moderated_band(3.0, sd=0.0, n=8, points=5)

    assert high - low > 0.4


def test_the_band_closes_in_on_the_mean_with_more_raters():
    widths = [math.dist([low], [high]) for low, high in (fixed_band(3, n, 5) for n in (3, 8, 40))]

    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_one_or_two_raters_carry_no_band(n):
    with pytest.raises(ValueError, match="no band"):
        fixed_band(3.0, n, points=5)


def test_seven_raters_are_too_few_for_their_own_spread():
    with pytest.raises(ValueError, match="too few"):
        moderated_band(3.0, sd=0.5, n=7, points=5)


@pytest.mark.parametrize("mean", [0.9, 5.1, math.nan])
def test_a_mean_outside_the_scale_is_refused(mean):
    with pytest.raises(ValueError, match="no mean"):
        fixed_band(mean, 5, points=5)


def test_a_negative_spread_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        moderated_band(3.0, sd=-0.1, n=9, points=5)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_score_intervals_as_published(successes, n, low, high):
    """Newcombe (1998), Stat. Med. 17, 857-872, table I (p. 861), method 3, 95 %."""
    assert wilson(successes, n, confidence=0.95) == pytest.approx((low, high), abs=5e-5)


def test_a_score_interval_of_all_is_that_of_none_turned_round():
    none, all_ = wilson(0, 7), wilson(7, 7)

    assert all_ == pytest.approx((1 - none[1], 1 - none[0]))
    assert all_[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(successes, n):
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)
