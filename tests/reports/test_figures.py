"""What is printed of whom: floors for bands, spread and the leader's own mark."""

import pytest

from reports import intervals
from reports.figures import figures
from reports.partition import partition
from reports.release import OTHERS, Figure
from reports.scores import scored, theme_scores
from tests.reports.algebra import asked, group


def theme_of_others(what, *rows) -> Figure:
    ratings = group(what, *rows)
    made = figures(what, ratings, partition({"peer": len(rows)}, (), 3))
    return next(figure for figure in made if (figure.scope, figure.of) == ("theme", OTHERS))


def test_the_spread_of_two_cannot_be_read_from_a_band_of_eight():
    """Six rated too little of the theme for a score of their own; two rated it whole."""
    what = asked(3, 3, 3)
    six = [(None, None, None, 3, 3, None, 3, 3, None)] * 6
    alike, apart = [(3,) * 9, (3,) * 9], [(1,) * 9, (5,) * 9]

    def spread_of_two(pair) -> float:
        raters = theme_scores(scored(group(what, *six, *pair), what.items, 5)).dropna()
        assert len(raters) == 2
        return float(raters.std())

    assert spread_of_two(alike) != spread_of_two(apart)
    assert theme_of_others(what, *six, *alike).n == 8
    assert theme_of_others(what, *six, *alike) == theme_of_others(what, *six, *apart)


def test_a_band_uses_the_raters_spread_from_eight_who_rated_the_theme():
    what = asked(2)
    rows = [(2, 2), (2, 2), (3, 3), (3, 3), (3, 3), (3, 3), (4, 4), (4, 4)]

    # Mean 3; the eight theme scores 2 2 3 3 3 3 4 4 have a variance of 4/7.
    low, high = intervals.moderated_band(3.0, (4 / 7) ** 0.5, 8, 5)
    assert theme_of_others(what, *rows).band == (round(low, 1), round(high, 1))
    # With seven it is 3 ± 1.645 · 0.8 / √7 = 3 ± 0.497.
    assert theme_of_others(what, *rows[:7]).band == pytest.approx((2.4, 3.4))


def test_what_is_printed_as_often_is_called_often_everywhere():
    """3.46 is printed as 3.5, from which on others see it often."""
    what = asked(3)
    rows = [(3, 3, 4), (4, 4, 3), (3, 4, 3), (4, 3, 4), (3, 3, 4)]
    ratings = group(what, *rows, (3, 4, 4))
    ratings.loc[5, "relationship"] = "self"
    made = figures(what, ratings, partition({"peer": 5}, (), 3))
    facet = next(figure for figure in made if (figure.scope, figure.of) == ("facet", OTHERS))

    # Item means 3.4, 3.4, 3.6: their mean is 3.467.
    assert facet.mean == 3.5
    assert facet.gap.field == "build_on"


def test_a_spread_word_rests_on_statements_that_enough_rated():
    """One statement was rated by two alone, who differ widely; the word must not tell."""
    what = asked(3)
    alike = [(3, 3, None)] * 5
    differ = [(3, 3, 1), (3, 3, 5)]

    assert theme_of_others(what, *alike, *differ).spread == "alike"
