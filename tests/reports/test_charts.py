"""A chart shows what the release tells, and its words for those who do not see it tell the same."""

import random
from dataclasses import replace

import pytest

from reports.aggregate import aggregate
from reports.answers import Answers
from reports.charts import groups_chart, others_chart
from reports.language import language
from reports.layout import TEMPLATES
from reports.preview import Preview
from tests.reports.conftest import setting

SAY = language("en")


def test_the_leaders_mark_stands_only_where_the_difference_may_be_spoken_of(release):
    """Nine raters for a theme; five peers, who alone are shown, for a statement."""
    [theme] = others_chart(release, [("theme", "MM", "Room")], SAY).rows
    [item] = others_chart(release, [("item", "MM01", "Lets")], SAY).rows

    assert (theme.own, item.own) == (4.0, None)


def test_a_row_says_how_many_stand_behind_its_figure(questionnaire, answered):
    """One of five peers skipped a facet: its figure rests on four."""
    answers = [answered("peer", 3, 3, 3) for _ in range(5)]
    items = {item: answer for item, answer in answers[0].items.items() if item[:4] != "MM01"}
    for item in ("MM02", "MM03"):
        items.pop(item)
    answers[0] = replace(answers[0], items=items)
    roster = setting(questionnaire, {"peer": 5, "direct_report": 5})
    answers += [answered("direct_report", 3, 3, 3) for _ in range(5)]
    release = aggregate(roster, answers, random.Random(1))

    labels = [row.label for row in groups_chart(release, "facet", "MM1", SAY).rows]
    assert labels == ["All others (9)", "Peers (4)", "Direct reports (5)"]


def test_an_end_is_a_sign_in_print_and_words_in_the_text(questionnaire, answered):
    answers = [answered("peer", 5, 1, 3) for _ in range(5)]
    release = aggregate(setting(questionnaire, {"peer": 5}), answers, random.Random(1))
    chart = others_chart(release, [("theme", "MM", "Room"), ("theme", "SA", "Seeing")], SAY)

    assert [row.value for row in chart.rows] == ["≥ 4.7", "≤ 1.3"]
    assert chart.alt.startswith("Room: at least 4.7.")
    assert "Seeing: at most 1.3." in chart.alt


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("self_leader", "Wins people over instead of using their expertise"),
        ("new_lead", "Wins people over instead of using their position"),
    ],
)
def test_a_statement_is_printed_as_the_level_asked_it(questionnaire, level, said):
    items = {item.id: 3 for item in questionnaire.items_at(level)}
    answers = [Answers("peer", False, items, {}) for _ in range(5)]
    chosen = replace(setting(questionnaire, {"peer": 5}), level=level)
    preview = Preview(aggregate(chosen, answers, random.Random(1)), questionnaire)

    labels = [row.label for part in preview.statements() for row in part.chart.rows]
    assert said in labels


def test_statements_name_the_groups_that_they_come_from(release, questionnaire):
    """Four direct reports are too few for single statements."""
    assert Preview(release, questionnaire).behind_statements() == "Peers (5)"


def test_a_group_without_a_figure_says_why(questionnaire, answered):
    unseen = dict.fromkeys(("MM01", "MM02", "MM03"), 0)
    answers = [
        *(answered("peer", 3, 3, 3) for _ in range(5)),
        *(
            replace(each, items={**each.items, **unseen})
            for each in (answered("direct_report", 3, 3, 3) for _ in range(3))
        ),
    ]
    roster = setting(questionnaire, {"peer": 5, "direct_report": 3})
    preview = Preview(aggregate(roster, answers, random.Random(1)), questionnaire)

    handing_over = next(preview.theme_pages()).facets[0]
    assert handing_over.sentences[-1] == (
        "Direct reports: more than two in five had no chance to see this, so there is no figure."
    )


# How people see who lack one kind of cone: Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6),
# 1291-1298, table 1, severity 1.0; on linear RGB.
SEEN_AS = {
    "everybody": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def luminance(colour: str, seen_as) -> float:
    """The relative luminance of WCAG 2, as somebody sees it; grey print keeps only this."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    seen = [min(1, max(0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in seen_as]
    return float(0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2])


@pytest.mark.parametrize("eye", SEEN_AS)
def test_marks_stand_out_for_every_eye_and_in_grey_print(eye):
    """By 3 to 1, which WCAG 2.2 (1.4.11) asks of graphics; marks differ in shape as well."""
    source = (TEMPLATES / "reports" / "charts.html").read_text()
    dot, own, before, band, paper = "#0b4450", "#a4481a", "#55646a", "#b9d3d6", "#ffffff"
    assert all(colour in source for colour in (dot, own, before, band))

    def contrast(one, other):
        lights = sorted(luminance(colour, SEEN_AS[eye]) + 0.05 for colour in (one, other))
        return lights[1] / lights[0]

    for mark in (dot, own, before):
        assert contrast(mark, paper) >= 3
        assert contrast(mark, band) >= 3
    # The test can fail: the band beside paper is only a shade.
    assert contrast(band, paper) < 3
