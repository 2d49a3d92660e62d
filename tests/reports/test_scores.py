"""Scores by hand: reversed items, missing answers, and how many are needed."""

import math

import pandas as pd
import pytest

from questionnaires.definition import Item
from reports.answers import Answers
from reports.ratings import ratings_frame
from reports.scores import facet_scores, no_chance, scored, theme_scores

ITEMS = [Item(id="A1", key="+", levels={}), Item(id="B1", key="-", levels={})]


def frame(*rows):
    answers = [Answers("peer", False, row, {}) for row in rows]
    return ratings_frame(answers, ["A1", "B1"], points=5)


def test_reverse_keyed_items_are_turned():
    assert scored(frame({"A1": 5, "B1": 5}), ITEMS, 5).to_numpy().tolist() == [[5, 1]]


def test_no_chance_and_skipped_are_both_missing_but_told_apart():
    ratings = frame({"A1": 0, "B1": 2}, {"B1": 2})

    assert scored(ratings, ITEMS, 5)["A1"].isna().tolist() == [True, True]
    assert no_chance(ratings, ITEMS)["A1"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("row", "score"),
    [([4, 5, 3], 4.0), ([4, 5, None], 4.5), ([4, None, None], None), ([None] * 3, None)],
)
def test_a_facet_needs_two_of_its_items(row, score):
    [result] = facet_scores(pd.DataFrame([row], columns=list("ABC"), dtype="float64"))

    assert math.isnan(result) if score is None else result == score


def test_a_facet_of_one_asked_item_needs_that_one():
    assert facet_scores(pd.DataFrame({"A": [3.0]})).tolist() == [3.0]


def test_a_theme_needs_half_of_its_items_rounded_up():
    five_of_nine = pd.DataFrame([[2.0] * 5 + [math.nan] * 4])
    four_of_nine = pd.DataFrame([[2.0] * 4 + [math.nan] * 5])

    assert theme_scores(five_of_nine).tolist() == [2.0]
    assert theme_scores(four_of_nine).isna().all()


@pytest.mark.parametrize(("items", "said"), [({"A1": 6}, "no point"), ({"Z": 1}, "was not asked")])
def test_answers_outside_the_scale_or_the_questionnaire_are_refused(items, said):
    with pytest.raises(ValueError, match=said):
        frame(items)
