"""The debrief guide: hypotheses by rule, and no more data than the preview."""

import io
import random
import re

import pdfplumber
import pytest
from page import ValidationProfile, validate_pdf_bytes

from questionnaires.definition import SELF
from reports.aggregate import aggregate
from reports.guide import Guide
from reports.pdf import guide_html, guide_pdf, preview_html
from reports.preview import Preview
from reports.release import OTHERS, Figure, Gap, Practice
from tests.reports.conftest import setting
from tests.reports.test_release import numbers


def facet(key, mean=3.0, band=(2.6, 3.4), of=OTHERS, scope="facet", **more) -> Figure:
    return Figure(scope=scope, key=key, of=of, n=5, mean=mean, band=band, **more)


def apart(value, field="talk", view="clear") -> Gap:
    return Gap(value=value, view=view, field=field)


@pytest.fixture
def guide(release, questionnaire):
    """Make a guide of a release that holds only these figures."""

    def make(*figures, **more) -> Guide:
        usual = {"figures": figures, "strengths": (), "practices": ()}
        return Guide(Preview(release.model_copy(update={**usual, **more}), questionnaire))

    return make


def titles(guide) -> list[str]:
    return [hypothesis.title for hypothesis in guide.hypotheses()]


def test_three_hypotheses_of_three_kinds_come_first(guide):
    made = guide(
        facet("MM1"),
        facet("MM2"),
        facet("MM3", gap=apart(1.0)),
        facet("SA1", gap=apart(1.4)),
        facet("TR1", mean=4.2),
        practices=(
            Practice(facet="MM1", reason="most_room"),
            Practice(facet="MM2", reason="most_room"),
        ),
        strengths=("TR1",),
    )

    assert titles(made) == [
        "Handing over: a small change here would be noticed soon.",
        # The widest difference.
        "Knowing your impact: what is meant does not arrive.",
        "Credible: others rely on it.",
    ]


def test_no_place_comes_twice_and_what_is_missing_is_filled_up(guide):
    made = guide(
        facet("MM1", gap=apart(1.2)),
        facet("MM", scope="theme", spread="differently"),
        facet("SA2", mean=None, band=None, not_seen=True),
        practices=(Practice(facet="MM1", reason="most_room"),),
    )

    assert titles(made) == [
        "Handing over: a small change here would be noticed soon.",
        "Room to lead: it depends on whom one asks.",
        "Owning gaps: it happens where few can see it.",
    ]


def test_a_place_that_is_taken_leaves_its_kind_to_the_next(guide):
    made = guide(
        facet("MM1", gap=apart(1.6)),
        facet("MM2", gap=apart(1.1)),
        facet("TR1", mean=4.2),
        practices=(Practice(facet="MM1", reason="most_room"),),
        strengths=("TR1",),
    )

    assert titles(made) == [
        "Handing over: a small change here would be noticed soon.",
        "Right-sized checking: what is meant does not arrive.",
        "Credible: others rely on it.",
    ]


def test_a_second_of_a_kind_comes_only_when_every_kind_had_its_turn(guide):
    made = guide(
        facet("MM1"),
        facet("MM2"),
        facet("TR1", mean=4.2),
        practices=(
            Practice(facet="MM1", reason="most_room"),
            Practice(facet="MM2", reason="most_room"),
        ),
        strengths=("TR1",),
    )

    assert titles(made) == [
        "Handing over: a small change here would be noticed soon.",
        "Credible: others rely on it.",
        "Right-sized checking: a small change here would be noticed soon.",
    ]


@pytest.mark.parametrize(
    ("field", "own", "title", "said"),
    [
        ("talk", 4.0, "Handing over: what is meant does not arrive.",
         "The leader sees it more often (4.0)."),
        ("lean_on", 2.0, "Handing over: others see more here than the leader does.",
         "The leader sees it less often (2.0)."),
    ],
)  # fmt: skip
def test_a_different_view_is_said_in_its_direction(guide, field, own, title, said):
    made = guide(
        facet("MM1", gap=apart(1.0, field)), facet("MM1", mean=own, band=None, of=SELF)
    ).hypotheses()

    assert [hypothesis.title for hypothesis in made] == [title]
    assert made[0].data.endswith(said)
    assert made[0].against.startswith("Against it:")
    assert len(made[0].questions) >= 2


def test_single_statements_and_likeness_are_no_hypotheses(guide):
    made = guide(
        facet("MM01", scope="item", gap=apart(2.0)),
        facet("MM1", gap=apart(0.2, "next_step", "alike")),
    )

    assert titles(made) == []


def test_what_the_data_cannot_carry_is_said(release, questionnaire, answered):
    # Two peers and two direct reports are put together; nobody rated themselves or wrote.
    answers = [answered("peer", 3, 3, 3)] * 2 + [answered("direct_report", 3, 3, 3)] * 2
    asked = {"peer": 3, "direct_report": 2}
    small = aggregate(setting(questionnaire, asked), answers, random.Random(1))
    said = list(Guide(Preview(small, questionnaire)).cannot_carry())

    assert said[0].startswith("All raters cannot be told apart")
    # Of four raters: 1.645 × 0.8 / √4 to both sides, 1.3 points.
    assert said[1].startswith("These bands are a point wide or more")
    assert "The leader's own view stands nowhere" in said[2]
    assert "No single statement is shown." in said[3]
    assert "There are no comments" in said[4]


def test_small_groups_and_what_was_not_seen_are_named(guide, release):
    made = guide(facet("MM1", mean=None, band=None, not_seen=True))

    said = " ".join(made.cannot_carry())
    assert "Direct reports are 4: one person more or less" in said
    assert "Peers are" not in said
    assert "Many had no chance to see: Handing over." in said


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_guide_holds_no_number_that_the_preview_does_not_hold(release, questionnaire, language):
    spoken = release.model_copy(update={"language": language})
    words = re.sub(r"<[^>]+>|[0-9a-f]{32}", " ", guide_html(Preview(spoken, questionnaire)))
    agenda = {"10", "15", "20", "60", "90"}

    assert numbers(words) - agenda <= numbers(preview_html(Preview(spoken, questionnaire)))
    assert "Peer's wish" not in words


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_it_is_two_to_four_pages_and_accessible(release, questionnaire, paper):
    pdf = guide_pdf(Preview(release, questionnaire), paper)
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        pages = [page.extract_text() for page in document.pages]
        title = document.metadata["Title"]

    assert 2 <= len(pages) <= 4
    assert title == "Debrief guide for Robin Sample"
    assert "What the data cannot carry" in pages[0]
    assert "Signs of a hard read" in pages[-1]
    assert validate_pdf_bytes(pdf, profile=ValidationProfile.PDF_UA_1).failures == []
