"""A follow-up compares groups that were put together and asked alike, and names clear changes."""

import dataclasses
import io
import random
import re
from datetime import date

import pdfplumber
import pytest

from questionnaires.definition import Questionnaire
from reports.aggregate import aggregate
from reports.change import change
from reports.changes import Changes
from reports.follow_up import NotAFollowUp, compared
from reports.pdf import guide_html, preview_html, preview_pdf
from reports.preview import Preview
from reports.release import OTHERS, sha256
from tests.reports.conftest import setting
from tests.reports.test_release import numbers

BEFORE, AFTER = date(2026, 5, 15), date(2026, 11, 22)


@pytest.fixture
def closed(questionnaire, answered):
    """Make the release of a round from the theme scores (mm, sa, tr) of each group."""

    def make(day=AFTER, level="new_lead", asked_with=None, identified=False, **groups):
        answers = [
            answered(relationship, *scores, identified=identified and relationship == "manager")
            for relationship, raters in groups.items()
            for scores in raters
        ]
        asked = {relationship: len(raters) for relationship, raters in groups.items()}
        about = dataclasses.replace(
            setting(asked_with or questionnaire, asked),
            level=level,
            opened_on=day.replace(day=1),
            closed_on=day,
        )
        return aggregate(about, answers, random.Random(1))

    return make


def changes(before, after, questionnaire) -> dict[tuple[str, str], str]:
    """What was compared, as (key, of), and what came of it."""
    found = compared(before, questionnaire, after, questionnaire)
    return {(each.key, each.of): each.change for each in found}


def test_what_all_others_and_groups_of_five_see_is_compared(closed, questionnaire):
    before = closed(BEFORE, peer=[(2, 3, 4)] * 5, direct_report=[(3, 3, 4)] * 5)
    after = closed(peer=[(3, 3, 4)] * 5, direct_report=[(3, 3, 3)] * 5)

    # Five peers: 2 → 3, clear from 0.832 + 0.05; ten others: 2.5 → 3, clear from 0.588 + 0.05.
    found = changes(before, after, questionnaire)
    assert found["MM", "peer"] == "more"
    assert found["MM", OTHERS] == "unclear"
    assert found["TR", "direct_report"] == "less"
    assert found["TR", OTHERS] == found["SA", "peer"] == "unclear"
    facets = {(facet.id, OTHERS) for facet in questionnaire.asked_at("new_lead")}
    themes = {
        (theme, of) for theme in ("MM", "SA", "TR") for of in (OTHERS, "peer", "direct_report")
    }
    assert found.keys() == facets | themes


def test_four_raters_carry_no_change(closed, questionnaire):
    before = closed(BEFORE, peer=[(2, 3, 4)] * 4, direct_report=[(3, 3, 4)] * 5)
    after = closed(peer=[(4, 3, 4)] * 9, direct_report=[(3, 3, 4)] * 5)

    assert ("MM", "peer") not in changes(before, after, questionnaire)
    assert ("MM", "direct_report") in changes(before, after, questionnaire)


def test_somebody_who_is_shown_by_role_is_not_compared(closed, questionnaire):
    rounds = [
        closed(day, identified=True, manager=[(mm, 3, 4)], peer=[(3, 3, 4)] * 5)
        for day, mm in ((BEFORE, 2), (AFTER, 5))
    ]

    assert {of for _, of in changes(*rounds, questionnaire)} == {OTHERS}


def test_groups_that_were_put_together_otherwise_are_not_compared(closed, questionnaire):
    """A manager among the others of one round only would be part of the difference."""
    before = closed(BEFORE, identified=True, manager=[(2, 3, 4)], peer=[(3, 3, 4)] * 6)
    after = closed(manager=[(5, 3, 4)], peer=[(3, 3, 4)] * 6)

    assert changes(before, after, questionnaire) == {}
    pooled = closed(BEFORE, manager=[(2, 3, 4)], peer=[(3, 3, 4)] * 6)
    assert changes(pooled, after, questionnaire)["MM", OTHERS] == "unclear"


def test_only_what_was_asked_in_the_same_words_is_compared(closed, questionnaire):
    document = questionnaire.model_dump(by_alias=True)
    facet = questionnaire.asked_at("new_lead")[0]
    document["texts"]["de"]["items"][facet.items[0].id]["other"] = "{name} macht etwas anderes."
    other = Questionnaire.model_validate(document)
    rounds = [closed(day, peer=[(3, 3, 4)] * 5) for day in (BEFORE, AFTER)]

    found = {each.key for each in compared(rounds[0], questionnaire, rounds[1], other)}
    assert facet.id not in found
    assert facet.theme not in found
    assert len(found) == 3 + 9 - 2

    document["texts"]["de"]["scale"]["points"][0]["label"] = "So gut wie nie"
    assert (
        compared(rounds[0], questionnaire, rounds[1], Questionnaire.model_validate(document)) == ()
    )


def test_a_new_level_is_compared_where_it_asks_the_same_in_the_same_words(questionnaire, answered):
    """Self-leaders get fewer statements on MM1 to MM3 and TR1, and other words in TR2 and TR3."""

    def closed(level, day):
        given = answered("peer", 3, 3, 4)
        items = {item.id: given.items[item.id] for item in questionnaire.items_at(level)}
        about = dataclasses.replace(
            setting(questionnaire, {"peer": 5}), level=level, closed_on=day, opened_on=None
        )
        return aggregate(about, [dataclasses.replace(given, items=items)] * 5, random.Random(1))

    found = compared(
        closed("self_leader", BEFORE), questionnaire, closed("new_lead", AFTER), questionnaire
    )
    assert [each.key for each in found] == ["SA", "SA1", "SA2", "SA3"]


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"closed_on": AFTER}, "ended on 2026-11-22, this one on 2026-11-22"),
        ({"name": "other"}, "asked with other, this one with technical_leader"),
    ],
)
def test_what_is_no_earlier_round_is_refused(closed, questionnaire, spoilt, reason):
    before, after = (closed(day, peer=[(3, 3, 4)] * 5) for day in (BEFORE, AFTER))
    if "name" in spoilt:
        spoilt = {"questionnaire": before.questionnaire.model_copy(update=spoilt)}

    with pytest.raises(NotAFollowUp, match=reason):
        compared(before.model_copy(update=spoilt), questionnaire, after, questionnaire)


def test_rounded_figures_call_chance_clear_no_more_often_than_promised():
    """Fifteen raters twice, nothing changed: 10 % are to look clear. Without the correction, 12."""
    chance = random.Random(1)
    drawn = [[chance.gauss(3, 0.8 / 15**0.5) for _ in range(2)] for _ in range(100_000)]

    def clear(step):
        return sum(
            change(round(one, 1), 15, round(two, 1), 15, step) != "unclear" for one, two in drawn
        ) / len(drawn)

    # 0.5 counts from 0.45 on, unrounded: P(|z| > 0.45 / 0.2921) = 0.123; 0.6 from 0.55: 0.060.
    assert clear(0.0) == pytest.approx(0.123, abs=0.004)
    assert clear(0.1) == pytest.approx(0.060, abs=0.004)


@pytest.mark.parametrize(("n", "least"), [(5, 0.9), (8, 0.8), (15, 0.6)])
def test_the_difference_it_takes_is_told_as_it_is_printed(closed, questionnaire, n, least):
    # 0.832, 0.658 and 0.481, with 0.05 for rounding, and up to the next tenth.
    before, after = (closed(day, peer=[(3, 3, 4)] * n) for day in (BEFORE, AFTER))
    [theme, *_] = compared(before, questionnaire, after, questionnaire)

    assert theme.least == pytest.approx(least)


@pytest.fixture
def edition(closed, questionnaire):
    """A follow-up in which room to lead grew, trust did not, and one facet fell."""
    before = closed(BEFORE, self=[(4, 3, 4)], peer=[(2, 4, 4)] * 5, direct_report=[(2, 4, 4)] * 5)
    after = closed(self=[(4, 3, 4)], peer=[(3, 3, 4)] * 5, direct_report=[(3, 3, 4)] * 6)
    return Preview(after, questionnaire, Preview(before, questionnaire))


def test_the_page_says_what_changed_and_what_became_of_the_proposals(edition):
    page = Changes(edition, edition.before)

    assert next(page.sentences()) == (
        "Room to lead",
        "Others see it clearly more often than last time: 2.0 then, 3.0 now.",
    )
    assert (
        "Room to lead",
        "Direct reports see it clearly more often than last time: 2.0 then, 3.0 now.",
    ) in page.sentences()
    assert page.chart().rows[0].value == "2.0 → 3.0"
    # All alike, so 3 ± 1.761 × √(4 × 0.4225 / 14) / √11.
    assert page.chart().alt.startswith("Room to lead: 3.0. Band from 2.8 to 3.2. Last time: 2.0.")
    assert list(page.proposed()) == [
        ("Handing over", "Others see it clearly more often now."),
        ("Right-sized checking", "Others see it clearly more often now."),
    ]
    assert page.unclear() == "Earning commitment, Credible, On people's side and Safe and finished"
    assert page.not_compared() == ""
    # 1.645 × 0.8 × √(1/10 + 1/11) = 0.575, and 0.05.
    assert page.least() == "0.7"


def test_without_a_clear_change_it_says_that_this_is_usual(edition, questionnaire):
    same = edition.before.release.model_copy(update={"closed_on": AFTER})
    html = preview_html(Preview(same, questionnaire, edition.before))

    assert "No change is clear this time." in html
    assert "18 comparisons were made." in html


def test_where_nothing_can_be_compared_it_says_why(closed, questionnaire):
    before = closed(BEFORE, peer=[(3, 3, 4)] * 4)
    after = closed(peer=[(3, 3, 4)] * 4)
    html = preview_html(Preview(after, questionnaire, Preview(before, questionnaire)))

    assert "Nothing can be compared this time" in html
    assert "Cannot be compared this time." in html
    assert "comparisons were made" not in html


def test_a_first_preview_has_no_such_page(edition, questionnaire):
    alone = Preview(edition.release, questionnaire)

    assert "What has changed" in preview_html(edition)
    assert "Since last time" in guide_html(edition)
    assert "What has changed" not in preview_html(alone)
    assert "Since last time" not in guide_html(alone)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_number_on_the_page_stands_in_one_of_both_releases(edition, questionnaire, language):
    spoken = Preview(
        edition.release.model_copy(update={"language": language}), questionnaire, edition.before
    )
    alone = Preview(spoken.release, questionnaire)

    def read(preview):
        html = re.sub(r'data:image[^"]*|<style.*?</style>|[0-9a-f]{32}', " ", preview_html(preview))
        return numbers(re.sub(r"<[^>]+>", " ", html))

    told = numbers(edition.release.to_json()) | numbers(edition.before.release.to_json())
    dates = {"15", "15.", "2026"}
    # How many comparisons, the difference it takes, and the formula.
    worked_out = {"18", "0.7", "1.645", "0.8", "1", "90"}
    assert read(spoken) - read(alone) <= told | dates | worked_out


def test_it_names_both_releases_and_gives_the_same_bytes(edition):
    pdf = preview_pdf(edition)

    with pdfplumber.open(io.BytesIO(pdf)) as document:
        text = "".join(page.extract_text() for page in document.pages).replace("\n", "")
    assert sha256(edition.release.to_json()) in text
    assert sha256(edition.before.release.to_json()) in text
    assert preview_pdf(edition) == pdf
