"""The technical page, from releases whose means are chosen by hand."""

import pandas as pd
import pytest

from reports.instrument import TooFewLeaders, technical_page
from reports.release import OTHERS, Figure
from tests.reports.test_reliability import having, one_factor

FACETS = ["MM1", "MM2", "MM3"]
ITEMS = [f"MM0{n}" for n in range(1, 10)]


def figures(scope, keys, row, of=OTHERS):
    return [
        Figure(scope=scope, key=key, of=of, n=5, mean=float(mean))
        for key, mean in zip(keys, row, strict=True)
        if not pd.isna(mean)
    ]


@pytest.fixture
def made(release):
    """Make a release for each row of a frame of facets' means, or of other figures."""

    def make(rows):
        return [release.model_copy(update={"figures": tuple(row)}) for row in rows]

    return make


def test_alpha_and_omega_over_leaders_by_hand(made, questionnaire):
    # Loadings .8 .7 .6, unique .36 .51 .64: ω = 2.1² / (2.1² + 1.51);
    # α = 3/2 · (1 − 3 / (4.41 + 1.51)).
    means = having(one_factor([0.8, 0.7, 0.6], [0.36, 0.51, 0.64]), rows=40) + 3
    page = technical_page(
        made(figures("facet", FACETS, row) for _, row in means.iterrows()), questionnaire
    )
    of_facets = next(e for e in page.internal if (e.theme, e.parts) == ("MM", "facet"))
    of_items = next(e for e in page.internal if (e.theme, e.parts) == ("MM", "item"))

    assert page.leaders == of_facets.alpha.leaders == 40
    assert of_facets.omega.value == pytest.approx(4.41 / 5.92, abs=1e-6)
    assert of_facets.alpha.value == pytest.approx(1.5 * (1 - 3 / 5.92), abs=1e-6)
    assert of_items.alpha.value is None
    assert of_items.alpha.reason == "0 leaders have every part; 30 are needed"


def test_items_by_hand(made, questionnaire):
    # Half the leaders at 2, half at 4: mean 3, variance 32/31; the other items go against it.
    rows = [figures("item", ITEMS, [2 + 2 * (n % 2)] + [4 - 2 * (n % 2)] * 8) for n in range(32)]
    first, second, *_ = technical_page(made(rows), questionnaire).statements

    assert (first.item, first.leaders, first.mean) == ("MM01", 32, 3.0)
    assert first.sd == pytest.approx((32 / 31) ** 0.5)
    assert first.with_rest == pytest.approx(-1.0)
    # With seven of eight that say the same and one that says the opposite.
    assert second.with_rest == pytest.approx(1.0)


def test_groups_of_one_leader_are_compared_as_shrout_and_fleiss_do(made, questionnaire):
    # Means 2 and 4 in turns, each as both groups see it: nothing varies within a leader.
    rows = [
        [
            figure
            for of in ("peer", "direct_report")
            for figure in figures("theme", ["MM"], [2 + 2 * (n % 2)], of)
        ]
        # Neither the manager, who is one person, nor all others together is a group.
        + figures("theme", ["MM"], [1.0], "identified-1")
        + figures("theme", ["MM"], [5.0])
        for n in range(30)
    ]
    found = technical_page(made(rows), questionnaire).between[0]

    assert (found.theme, found.leaders) == ("MM", 30)
    assert (found.icc.icc1, found.icc.icck, found.icc.k_mean) == (1.0, 1.0, 2.0)


def test_what_too_few_leaders_carry_is_missing_with_a_reason(made, questionnaire):
    rows = [figures("item", ITEMS, [n % 3 + 1] * 9) for n in range(29)] + [[], []]
    page = technical_page(made(rows), questionnaire)

    assert page.statements[0].leaders == 29
    assert page.statements[0].mean is page.statements[0].sd is page.statements[0].with_rest is None
    assert page.internal[0].omega.reason == "29 leaders have every part; 30 are needed"
    assert page.between[0].reason == "0 leaders have every part; 30 are needed"


def test_all_alike_is_missing_with_a_reason(made, questionnaire):
    rows = [
        figures("item", ITEMS, [3.0] * 9)
        + figures("theme", ["MM"], [3.0], "peer")
        + figures("theme", ["MM"], [3.0], "direct_report")
        for _ in range(30)
    ]
    page = technical_page(made(rows), questionnaire)

    assert page.internal[0].alpha.reason.startswith("everybody answered alike: MM01")
    assert page.between[0].reason == "all groups have the same mean"
    assert page.statements[0].with_rest is None


def test_below_thirty_leaders_there_is_no_page(release, questionnaire):
    with pytest.raises(TooFewLeaders, match=r"29 leaders .* begins at 30"):
        technical_page([release] * 29, questionnaire)
