"""What a group says, by hand; and that nothing printed concerns fewer than k raters."""

import random

import pytest

from reports.cells import group_cells, person_cells, united_cells
from tests.reports.algebra import asked, fewest_concerned, group, our_figures, usual_figures


def test_three_raters_show_facets_and_themes_but_no_items():
    what = asked(2, 2)
    cells = group_cells(what, group(what, [2, 3, 4, 4], [2, 3, 3, 3], [4, 4, 2, 2]))

    # F0: raters' means 2.5, 2.5, 4 → 3; F1: 4, 3, 2 → 3; T: their mean.
    assert {place: cell.mean for place, cell in cells.items()} == {
        ("facet", "F0"): 3.0,
        ("facet", "F1"): 3.0,
        ("theme", "T"): 3.0,
    }


def test_five_raters_show_items_and_their_means():
    what = asked(2)
    cells = group_cells(what, group(what, [2, 3], [2, 3], [3, 3], [4, 3], [4, 4]))

    assert cells["item", "F0a"].mean == pytest.approx(3.0)
    assert cells["item", "F0b"].mean == pytest.approx(3.2)
    assert cells["facet", "F0"].mean == pytest.approx(3.1)


def test_an_item_that_four_answered_hides_the_facets_items():
    what = asked(2)
    cells = group_cells(what, group(what, [2, 3], [2, 3], [3, 3], [4, 3], [None, 4]))

    # The facet is the mean of the raters with two answers: 2.5, 2.5, 3, 3.5 → 2.875.
    assert list(cells) == [("facet", "F0"), ("theme", "T")]
    assert cells["facet", "F0"].mean == pytest.approx(2.875)
    assert cells["facet", "F0"].n == 4


def test_a_facet_that_two_answered_is_not_shown():
    what = asked(2, 2)
    cells = group_cells(what, group(what, [2, 3, 3, 3], [2, 3, 3, 3], [None, None, 3, 3]))

    assert ("facet", "F0") not in cells
    assert cells["facet", "F1"].n == 3


def test_a_facet_of_one_item_is_held_to_the_items_floor():
    what = asked(1)

    assert group_cells(what, group(what, [3], [3], [3], [3])) == {}
    assert group_cells(what, group(what, [3], [3], [3], [3], [3]))["facet", "F0"].n == 5


def test_a_theme_needs_facets_that_hold_half_of_its_items():
    what = asked(2, 3)
    nothing = [None, None, None]

    assert ("theme", "T") not in group_cells(what, group(what, *[[3, 3, *nothing]] * 3))
    assert ("theme", "T") in group_cells(what, group(what, *[[None, None, 3, 3, 3]] * 3))


def test_a_behaviour_that_most_had_no_chance_to_see_has_no_mean():
    what = asked(2)
    cells = group_cells(what, group(what, [0, 0], [0, 0], [3, 3], [3, 3], [3, 3], [3, 0]))

    # 5 of 12 answers say "no chance": more than two in five.
    assert cells["facet", "F0"].mean is None
    assert cells["facet", "F0"].n == 6


@pytest.mark.parametrize(
    ("answers", "mean"), [([5] * 5, 4.7), ([1] * 5, 1.3), ([5, 5, 5, 5, 4], 4.7)]
)
def test_a_mean_near_the_end_counts_as_its_bound_everywhere_above(answers, mean):
    what = asked(2)
    cells = group_cells(what, group(what, *[[answer, 3] for answer in answers]))

    assert cells["item", "F0a"].mean == pytest.approx(mean)
    assert cells["facet", "F0"].mean == pytest.approx((mean + 3) / 2)


def test_others_are_the_raters_of_the_groups_that_are_shown():
    what = asked(2)
    large = group_cells(what, group(what, *[[4, 4]] * 6))
    small = group_cells(what, group(what, *[[2, 2]] * 3))
    others = united_cells([large, small])

    # Six at 4 and three at 2 → 30/9; the items stand on the six alone.
    assert others["facet", "F0"].mean == pytest.approx(30 / 9)
    assert others["facet", "F0"].n == 9
    assert others["item", "F0a"].n == 6


def test_one_person_has_scores_from_the_items_answered():
    what = asked(3, 3)
    cells = person_cells(what, group(what, [4, 5, None, 2, None, None]))

    assert {place: cell.mean for place, cell in cells.items()} == {
        ("theme", "T"): pytest.approx(11 / 3),
        ("facet", "F0"): 4.5,
        ("item", "F0a"): 4.0,
        ("item", "F0b"): 5.0,
        ("item", "F1a"): 2.0,
    }


# --- Nothing that can be worked out from the figures concerns fewer than k raters ---------


def test_one_skipped_answer_gives_a_rater_away_the_usual_way():
    what = asked(3, 3, 3)
    rows = group(what, *[[3, 3, 3, 2, 4, 3, 3, 4, 2]] * 5, [3, 3, 3, 2, 4, 3, 3, 4, None])

    assert fewest_concerned(usual_figures, what, rows, upto=3) == 1
    assert fewest_concerned(our_figures, what, rows, upto=3) == 3


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_skipped_no_combination_concerns_fewer_than_k(seed):
    chance = random.Random(seed)
    what = asked(3, 3, chance.choice([1, 2, 3]), k=3)
    raters = chance.randint(3, 8)
    missing = chance.choice([0.05, 0.15, 0.3])
    rows = group(
        what,
        *[
            [
                chance.choice([None, 0]) if chance.random() < missing else chance.randint(2, 4)
                for _ in what.items
            ]
            for _ in range(raters)
        ],
    )

    assert fewest_concerned(our_figures, what, rows, upto=3) == 3
