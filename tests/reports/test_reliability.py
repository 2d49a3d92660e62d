"""Reliability by hand and against published results."""

import math

import numpy as np
import pandas as pd
import pytest

from reports.reliability import cronbach_alpha, icc_one_way, mcdonald_omega

# Shrout & Fleiss (1979), Psychol. Bull. 86(2), table 2 (p. 423): four judges rate six targets.
JUDGED = pd.DataFrame(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype="float64",
)


def having(covariances, rows=12) -> pd.DataFrame:
    """Return a frame whose covariances are exactly these: noise made white, then coloured."""
    wanted = np.array(covariances)
    noise = np.random.default_rng(1).normal(size=(rows, len(wanted)))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T))).T
    return pd.DataFrame(white @ np.linalg.cholesky(wanted).T)


def one_factor(loadings, unique):
    return np.outer(loadings, loadings) + np.diag(unique)


def test_alpha_by_hand():
    # Variances 1 and 7/3, covariance 1, so the sum varies by 16/3: 2 · (1 − (10/3) / (16/3)).
    frame = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [1.0, 4.0, 3.0]})

    assert cronbach_alpha(frame) == pytest.approx(3 / 4)


def test_alpha_as_published():
    """Table 4 (p. 424): ICC(3,4), which is alpha with judges as items, is .91."""
    assert cronbach_alpha(JUDGED) == pytest.approx(0.91, abs=0.005)


def test_alpha_may_be_below_zero():
    # Variances 1 and 1, covariance −1/2: 2 · (1 − 2/1).
    frame = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [2.0, 1.0, 1.0]})

    assert cronbach_alpha(having([[1.0, -0.5], [-0.5, 1.0]])) == pytest.approx(-2.0)
    assert cronbach_alpha(frame) < 0


def test_rows_with_a_missing_answer_are_left_out_whole():
    spoilt = pd.concat([JUDGED, pd.DataFrame([[1.0, 10.0, math.nan, 3.0]])], ignore_index=True)

    assert cronbach_alpha(spoilt) == cronbach_alpha(JUDGED)


def test_omega_by_hand():
    # Loadings .8 .7 .6 .5, unique .36 .51 .64 .75: 2.6² / (2.6² + 2.26).
    frame = having(one_factor([0.8, 0.7, 0.6, 0.5], [0.36, 0.51, 0.64, 0.75]))

    assert mcdonald_omega(frame) == pytest.approx(6.76 / 9.02, abs=1e-6)


def test_omega_is_about_the_sum_of_the_items_in_their_own_units():
    # The first item in tenths: loadings 8 .7 .6, unique 36 .51 .64: 9.3² / (9.3² + 37.15).
    frame = having(one_factor([8.0, 0.7, 0.6], [36.0, 0.51, 0.64]))

    assert mcdonald_omega(frame) == pytest.approx(86.49 / 123.64, abs=1e-6)


def test_alpha_equals_omega_where_loadings_are_equal_and_is_below_it_elsewhere():
    """Novick & Lewis (1967), Psychometrika 32(1), 1-13."""
    equal = having(one_factor([0.7] * 4, [0.3, 0.5, 0.6, 0.9]))
    unequal = having(one_factor([0.9, 0.8, 0.3, 0.2], [0.3, 0.4, 0.6, 0.9]))

    assert cronbach_alpha(equal) == pytest.approx(mcdonald_omega(equal), abs=1e-6)
    assert cronbach_alpha(unequal) < mcdonald_omega(unequal) - 0.02


def test_omega_of_items_keyed_against_the_rest_is_not_flattered():
    # Loadings .7 .7 −.7: what is common cancels out to .7: .49 / (.49 + 1.53).
    frame = having(one_factor([0.7, 0.7, -0.7], [0.51] * 3))

    assert mcdonald_omega(frame) == pytest.approx(0.49 / 2.02, abs=1e-6)


def test_omega_never_exceeds_one_when_no_loadings_fit():
    # Correlations .9, .9 and .7 ask for a first loading of √(.9 · .9 / .7), 1.08.
    frame = having([[1.0, 0.9, 0.9], [0.9, 1.0, 0.7], [0.9, 0.7, 1.0]])

    assert 0.9 < mcdonald_omega(frame) <= 1.0


@pytest.mark.parametrize("measure", [cronbach_alpha, mcdonald_omega])
def test_too_little_to_go_by_is_refused(measure):
    with pytest.raises(ValueError, match="items; at least"):
        measure(pd.DataFrame({"A": [1.0, 2.0, 3.0]}))
    with pytest.raises(ValueError, match="complete rows; at least"):
        measure(JUDGED.head(1))
    with pytest.raises(ValueError, match="complete rows; at least"):
        measure(JUDGED.assign(gone=math.nan))
    with pytest.raises(ValueError, match="answered alike: same"):
        measure(JUDGED.assign(same=4.0))


def test_items_that_cancel_out_have_no_alpha():
    with pytest.raises(ValueError, match="same sum"):
        cronbach_alpha(pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [3.0, 2.0, 1.0]}))


def long(frame):
    """Return ratings and whom each is about, from a frame of targets and judges."""
    melted = frame.rename_axis("target").reset_index().melt(id_vars="target")
    return melted["value"], melted["target"]


def test_intraclass_correlations_as_published():
    """Table 4 (p. 424): ICC(1,1) is .17 and ICC(1,4) .44."""
    found = icc_one_way(*long(JUDGED))

    assert found.icc1 == pytest.approx(0.17, abs=0.005)
    assert found.icck == pytest.approx(0.44, abs=0.005)
    assert (found.n0, found.k_mean) == (4.0, 4.0)


def test_groups_of_different_size_by_hand():
    # Sizes 3 and 1, means 3 and 7, overall 4: between 3·1 + 1·9 = 12 on 1, within 2 on 2 → 1.
    # n₀ = (4 − 10/4) / 1 = 1.5; ICC(1) = 11 / (12 + 0.5); ICC(1,k) = 11/12.
    found = icc_one_way(pd.Series([2.0, 3.0, 4.0, 7.0]), pd.Series(["a", "a", "a", "b"]))

    assert found.icc1 == pytest.approx(11 / 12.5)
    assert found.icck == pytest.approx(11 / 12)
    assert (found.n0, found.k_mean) == (1.5, 2.0)


def test_rows_without_score_or_group_do_not_count():
    ratings = pd.Series([2.0, 3.0, 4.0, 7.0, math.nan, 9.0])
    groups = pd.Series(["a", "a", "a", "b", "b", None])

    assert icc_one_way(ratings, groups) == icc_one_way(ratings[:4], groups[:4])


def test_groups_that_differ_less_than_by_chance_are_below_zero():
    # Means 3 and 4, each of two answers 4 apart: between 1, within 8.
    found = icc_one_way(pd.Series([1.0, 5.0, 2.0, 6.0]), pd.Series(["a", "a", "b", "b"]))

    assert found.icc1 == pytest.approx(-7 / 9)
    assert found.icck == pytest.approx(-7.0)


@pytest.mark.parametrize(
    ("ratings", "groups", "reason"),
    [
        ([1.0, 2.0], ["a"], "2 ratings, but 1 groups"),
        ([1.0, 2.0], ["a", "a"], "one group"),
        ([], [], "one group"),
        ([1.0, 2.0], ["a", "b"], "no group has two"),
        ([3.0, 3.0, 3.0, 3.0], ["a", "a", "b", "b"], "same mean"),
        ([1.0, 5.0, 2.0, 4.0], ["a", "a", "b", "b"], "same mean"),
    ],
)
def test_what_has_no_intraclass_correlation_is_refused(ratings, groups, reason):
    with pytest.raises(ValueError, match=reason):
        icc_one_way(pd.Series(ratings, dtype="float64"), pd.Series(groups, dtype="str"))
