"""Whoever reads the report and can reckon learns nothing about fewer than three raters."""

import random
from functools import reduce
from operator import add

import pytest

from tests.attacks.results import (
    ATTACKS,
    ROUNDS,
    Round,
    as_released,
    as_usual,
    made_up,
    skipped_answers,
)
from tests.attacks.score import Score
from tests.reports.algebra import our_figures, usual_figures

GROUP = "results"


@pytest.fixture(scope="module")
def rounds(questionnaire):
    """The same answers, reported as usual and by the product."""

    def reported(way):
        made = [made_up(random.Random(n), questionnaire) for n in range(ROUNDS)]
        return [Round(each, way(each, questionnaire)) for each in made]

    return {"twin": reported(as_usual), "product": reported(as_released)}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_the_report_leads_to_a_rater(attack, rounds, table, questionnaire):
    twin, product = (reduce(add, map(attack, rounds[name])) for name in ("twin", "product"))
    table.add(GROUP, attack.__name__.replace("_", " "), "", twin, product)

    assert twin.wins(), "the attack does not even win against the twin"
    if isinstance(product, Score) and product.wins():
        # Once more: chance exceeds 3σ now and then, but not twice in a row.
        again = [made_up(random.Random(f"again {n}"), questionnaire) for n in range(ROUNDS)]
        reported = [Round(a, as_released(a, questionnaire)) for a in again]
        product = reduce(add, map(attack, reported))
    assert not product.wins(), str(product)


def test_a_skipped_answer_gives_nobody_away(table):
    twin, product = skipped_answers(usual_figures), skipped_answers(our_figures)
    table.add(GROUP, "skipped answers", "", twin, product)

    assert twin.wins()
    assert not product.wins()
