"""A team report holds means of at least four leaders, and no sum of them gives one leader's."""

import dataclasses
import io
import random
import re
from html import unescape

import pdfplumber
import pytest
from page import ValidationProfile, validate_pdf_bytes

from reports.aggregate import aggregate
from reports.layout import lay_out
from reports.pdf import team_html
from reports.release import OTHERS, Figure, TeamRelease, sha256
from reports.team import NoTeam, together
from reports.team_report import TeamReport
from tests.reports.conftest import setting
from tests.reports.test_release import numbers

NAMES = ("Ada", "Bo", "Cleo", "Dev", "Eli", "Fay", "Gil", "Hal")


@pytest.fixture
def led(questionnaire, answered):
    """Make the release of a leader whom so many peers see alike: the scores of three themes."""

    def make(name, n=5, mm=3, sa=3, tr=4, level="new_lead", without=()):
        given = answered("peer", mm, sa, tr)
        asked = {item.id for item in questionnaire.items_at(level)}
        items = {key: point for key, point in given.items.items() if key in asked}
        items = {key: point for key, point in items.items() if key not in without}
        about = dataclasses.replace(
            setting(questionnaire, {"peer": n}), leader=f"{name} Example", level=level
        )
        return aggregate(about, [dataclasses.replace(given, items=items)] * n, random.Random(1))

    return make


@pytest.fixture
def team(questionnaire):
    def make(*releases, language="en") -> TeamRelease:
        return together("The team", releases, questionnaire, language)

    return make


def test_a_facet_is_the_mean_of_the_leaders_weighted_by_raters(led, team):
    made = team(led("Ada", 3, mm=2), led("Bo", 5, mm=3), led("Cleo", 6, mm=3), led("Dev", 6, mm=4))

    # (3 × 2 + 5 × 3 + 6 × 3 + 6 × 4) / 20 = 3.15, and ± 1.645 × 0.8 / √20 = 0.294.
    assert made.figure("facet", "MM1") == Figure(
        scope="facet", key="MM1", of=OTHERS, n=20, mean=3.2, band=(2.9, 3.4)
    )
    assert made.figure("theme", "MM") == Figure(
        scope="theme", key="MM", of=OTHERS, n=20, mean=3.2, band=(2.9, 3.4)
    )
    assert made.answered == 20
    assert {figure.scope for figure in made.figures} == {"theme", "facet"}
    assert made.leaders == ("Ada Example", "Bo Example", "Cleo Example", "Dev Example")


def test_what_is_told_at_an_end_is_told_at_an_end_together(led, team):
    made = team(*(led(name, tr=5) for name in NAMES[:4]))

    figure = made.figure("theme", "TR")
    assert (figure.mean, figure.end_coded) == (4.7, "at_least")


@pytest.mark.parametrize("n", [0, 1, 3])
def test_fewer_than_four_leaders_are_no_team(led, team, n):
    with pytest.raises(NoTeam, match="too_few"):
        team(*(led(name) for name in NAMES[:n]))


def test_nobody_is_in_it_twice(led, team):
    with pytest.raises(NoTeam, match="one_leader_twice Ada Example"):
        team(*(led(name) for name in ("Ada", "Bo", "Cleo", "Dev")), led("Ada", 6))


def test_everybody_was_asked_about_with_the_same_questionnaire(led, team):
    other = led("Dev")
    source = other.questionnaire.model_copy(update={"version": "0.9", "digest": "0"})

    with pytest.raises(NoTeam, match="asked_otherwise Dev Example"):
        team(led("Ada"), led("Bo"), led("Cleo"), other.model_copy(update={"questionnaire": source}))


def test_a_facet_that_three_leaders_have_is_not_shown(led, team):
    skipped = ("MM01", "MM02", "MM03")
    three = [led(name) for name in ("Ada", "Bo", "Cleo")]

    made = team(*three, led("Dev", without=skipped))
    assert made.figure("facet", "MM1") is None
    assert "MM1" not in made.behind
    # Two of three facets are more than half of the theme.
    assert made.figure("theme", "MM").n == 20
    assert team(*three, led("Dev"), led("Eli", without=skipped)).figure("facet", "MM1").n == 20


def test_only_what_all_levels_ask_in_the_same_words_is_shown(led, team):
    """Self-leaders get other statements or words everywhere but in one theme."""
    made = team(led("Ada", level="self_leader"), *(led(name) for name in ("Bo", "Cleo", "Dev")))

    assert [figure.key for figure in made.figures] == ["SA", "SA1", "SA2", "SA3"]
    assert made.levels == ("self_leader", "new_lead")


def test_no_sum_of_figures_concerns_fewer_than_four_leaders(led, team):
    """A theme is made of its facets, so it tells nothing about a leader whom a facet leaves out.

    Worked out from the leaders' own themes it would: Eli's theme has two facets, the others' three.
    """
    four = [led(name, mm=mm) for name, mm in zip(NAMES, (2, 3, 3, 4), strict=False)]
    fifth = led("Eli", mm=2, without=("MM01", "MM02", "MM03"))
    made = team(*four, fifth)
    means = {key: made.figure("facet", key).mean for key in ("MM1", "MM2", "MM3")}

    of_leaders = [release.figure("theme", "MM", OTHERS) for release in (*four, fifth)]
    usual = sum(figure.mean * figure.n for figure in of_leaders) / 25
    # Five times the usual theme, less the facets of all, leaves a sixth of Eli's: 1/2 − 1/3.
    told = 5 * usual - (4 * means["MM1"] + 5 * means["MM2"] + 5 * means["MM3"]) / 3
    assert 6 * told == pytest.approx(4, abs=0.01)  # Both of Eli's facets: 2 + 2.

    assert made.figure("theme", "MM").mean == round(sum(means.values()) / 3, 1)


@pytest.mark.parametrize(
    ("leaders", "opened", "hidden"),
    [(4, 0, True), (4, 1, False), (4, 3, False), (4, 4, True), (5, 1, True), (5, 2, False),
     (8, 4, True), (8, 5, False), (8, 8, True)],
)  # fmt: skip
def test_somebody_may_read_it_who_leaves_four_leaders_or_may_open_all(
    led, team, leaders, opened, hidden
):
    releases = [led(name) for name in NAMES[:leaders]]
    known = [sha256(release.to_json()) for release in releases[:opened]]

    assert team(*releases).hides_each_leader_from([*known, "some other release"]) is hidden


def test_the_leaders_behind_each_facet_count_and_not_those_of_the_team(led, team):
    """Six leaders, one of them opened; but five stand behind a facet, then four, then three."""
    releases = [led(name) for name in NAMES[:4]]
    releases += [led(name, without=("MM01", "MM02", "MM03")) for name in NAMES[4:6]]

    made = team(*releases)
    assert len(made.behind["MM1"]) == 4
    assert not made.hides_each_leader_from([sha256(releases[0].to_json())])
    assert made.hides_each_leader_from([sha256(releases[5].to_json())])


@pytest.fixture
def report(led, team, questionnaire):
    def make(language="en"):
        releases = [
            led(name, 6, mm, 3, 4) for name, mm in zip(NAMES, (2, 3, 3, 2, 4), strict=False)
        ]
        return TeamReport(team(*releases, language=language), questionnaire)

    return make


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_pdf_passes_a_checker_and_gives_the_same_bytes(report, language, paper):
    pdf = lay_out(team_html(report(language)), paper)

    assert validate_pdf_bytes(pdf, profile=ValidationProfile.PDF_UA_1).failures == []
    assert lay_out(team_html(report(language)), paper) == pdf


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_number_stands_in_the_teams_release(report, language):
    made = report(language)
    html = re.sub(r'data:image[^"]*|<style.*?</style>|[0-9a-f]{32}', " ", team_html(made))
    read = numbers(unescape(re.sub(r"<[^>]+>|Preview360", " ", html)))
    texts = numbers(made.texts.model_dump_json())
    dates = {"22", "22.", "2026"}
    # The formula, the number of leaders and the mean from which something is seen often.
    known = {"1.645", "0.8", "90", "5", "3.5"}

    assert read - numbers(made.release.to_json()) - texts <= dates | known
    assert len(read) > 10


def test_it_says_whom_it_is_about_and_nothing_of_one_leader(report, led):
    with pdfplumber.open(io.BytesIO(lay_out(team_html(report())))) as pdf:
        pages = [page.extract_text() for page in pdf.pages]

    assert len(pages) == 5
    text = " ".join(pages).replace("\n", " ")
    assert (
        "The leaders: Ada Example, Bo Example, Cleo Example, Dev Example and Eli Example." in text
    )
    assert "30 people answered up to 22 November 2026." in text
    assert "Behind every figure stand at least 4 leaders" in text


def test_what_is_not_shown_is_named(led, team, questionnaire):
    releases = [led(name) for name in NAMES[:4]]
    skipped = led("Eli", without=("MM01", "MM02", "MM03"))
    html = team_html(TeamReport(team(*releases, skipped), questionnaire))
    assert "Not of all leaders, with how many: Handing over (4)." in html

    html = team_html(TeamReport(team(*releases[:3], skipped), questionnaire))
    assert "in the same words: Handing over." in html


def test_where_nothing_may_be_shown_it_says_so(led, team, questionnaire):
    nothing = tuple(item.id for item in questionnaire.items_at("new_lead"))
    releases = [led(name) for name in NAMES[:3]]
    html = team_html(TeamReport(team(*releases, led("Dev", without=nothing)), questionnaire))

    assert "There is nothing to show: no facet has figures of 4 leaders" in html
