"""Two implementations agree on every figure, and no sum of figures concerns fewer than k raters.

The second one (second.py) is written from the documents; what is printed, in JSON, on the
page and in the PDF, is held against it.
"""

import html
import io
import itertools
import math
import random
import re
from fractions import Fraction
from html.parser import HTMLParser

import pdfplumber
import pytest

from questionnaires.definition import SELF, Prompt
from reports.aggregate import aggregate
from reports.answers import NO_CHANCE, Answers
from reports.comments import comments
from reports.figures import figures
from reports.partition import TooFewRaters, partition
from reports.pdf import preview_html, preview_pdf
from reports.preview import Preview
from reports.ratings import ratings_frame
from tests.reports.algebra import asked
from tests.reports.conftest import setting
from tests.reports.second import Weighed, fewest_concerned, groups, weighed

KINDS = ("manager", "peer", "direct_report")
ROSTERS = [
    counts for counts in itertools.product(range(9), repeat=len(KINDS)) if 3 <= sum(counts) <= 8
]


def answers_of(chance, roster, items, *, identified=0, missing=0.1, agreed=0.2) -> list[Answers]:
    """Random answers of a roster; the first managers are identified, some items are agreed on."""
    end = {item for item in items if chance.random() < agreed}
    made = []
    for kind, count in zip(KINDS, roster, strict=True):
        for number in range(count):
            given = {}
            for item in items:
                if chance.random() >= missing:
                    given[item] = 5 if item in end else chance.randint(1, 5)
                elif chance.random() < 0.5:
                    given[item] = NO_CHANCE
            made.append(Answers(kind, kind == "manager" and number < identified, given, {}))
    chance.shuffle(made)
    return made


def rounded(value: Fraction) -> float:
    """One decimal, halves up, as one rounds by hand."""
    return math.floor(value * 10 + Fraction(1, 2)) / 10


def told(figure) -> tuple[float | None, int | None, str | None]:
    return (figure.mean, figure.n if figure.mean is not None else None, figure.end_coded)


def expected(figure: Weighed | None) -> tuple[float | None, int | None, str | None]:
    if figure is None:
        return (None, None, None)
    end = None
    if figure.value <= Fraction(13, 10):
        end = "at_most"
    elif figure.value >= Fraction(47, 10):
        end = "at_least"
    return (rounded(figure.value), figure.n, end)


def check(made, answers, facets, grouped, k) -> None:
    """Hold printed figures of anonymous groups against the second implementation."""
    ours = {((f.scope, f.key), f.of): told(f) for f in made if not f.of.startswith("identified-")}
    ours = {where: what for where, what in ours.items() if where[1] != SELF}
    second = weighed(answers, facets, grouped, k)
    assert ours == {where: expected(figure) for where, figure in second.items()}
    weights = [figure.weights for figure in second.values() if figure and figure.weights]
    assert fewest_concerned(weights, upto=k) == k


@pytest.mark.parametrize("k", [3, 4, 5])
@pytest.mark.parametrize("identified", [0, 1, 2])
def test_every_roster_up_to_eight_raters(k, identified):
    what = asked(3, 2, k=k)
    items = [item.id for item in what.items]
    shown = 0
    for roster in ROSTERS:
        if roster[0] < identified:
            continue
        chance = random.Random(f"{roster} {k} {identified}")
        answers = answers_of(
            chance, roster, items, identified=identified, missing=chance.choice([0, 0.1, 0.3])
        )
        named = [kind for kind, n in zip(KINDS, roster, strict=True) if n]
        if roster[0] == identified and "manager" in named:
            named.remove("manager")
        grouped = groups(answers, named, k)
        alone = [each.relationship for each in answers if each.identified]
        counts = {
            kind: sum(each.relationship == kind and not each.identified for each in answers)
            for kind in named
        }
        if not grouped:
            with pytest.raises(TooFewRaters):
                partition(counts, alone, k)
            continue
        atoms = partition(counts, alone, k)
        assert {atom.id: atom.n for atom in atoms} == {of: len(r) for of, r in grouped.items()}
        check(
            figures(what, ratings_frame(answers, items, 5), atoms), answers, what.facets, grouped, k
        )
        shown += 1
    assert shown > 20


def test_a_theme_over_raters_beside_its_facets_would_give_one_away():
    """The algebra finds what it is for: the textbook's theme, beside the facets, and one skip."""
    what = asked(3, 2)
    items = [item.id for item in what.items]
    answers = [
        Answers("peer", False, {item: 3 for item in items if (n, item) != (0, "F1b")}, {})
        for n in range(6)
    ]
    second = weighed(answers, what.facets, {"peer": list(range(6))}, 3)
    printed = [figure.weights for figure in second.values() if figure]
    assert fewest_concerned(printed, upto=3) == 3

    theme = {}
    for rater, each in enumerate(answers):
        for item in each.items:
            theme[rater, item] = Fraction(1, 6 * len(each.items))
    assert fewest_concerned([*printed, theme], upto=3) < 3


class Text(HTMLParser):
    """The text of a page, without what is only for its looks."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.silent = "", 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("style", "script")
        self.text += " " + " ".join(v or "" for name, v in attrs if name in ("alt", "aria-label"))

    def handle_endtag(self, tag):
        self.silent -= tag in ("style", "script")
        self.text += " "

    def handle_data(self, data):
        self.text += "" if self.silent else data


def decimals(text: str) -> set[str]:
    """Return the numbers with one decimal or more."""
    return set(re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", text))


@pytest.mark.parametrize("seed", range(6))
def test_page_and_pdf_tell_no_number_that_the_figures_do_not_explain(seed, questionnaire):
    chance = random.Random(seed)
    roster = chance.choice([each for each in ROSTERS if each[0] and sum(each) >= 5])
    items = [item.id for item in questionnaire.items_at("new_lead")]
    answers = answers_of(chance, roster, items, identified=seed % 2, missing=0.05)
    answers.append(Answers(SELF, False, dict.fromkeys(items, 3), {}))
    asked_of = {"self": 1, **dict(zip(KINDS, roster, strict=True))}
    release = aggregate(setting(questionnaire, asked_of), answers, chance)

    named = [kind for kind, n in zip(KINDS, roster, strict=True) if n > 0]
    if roster[0] == seed % 2:
        named.remove("manager")
    grouped = groups(answers, named, 3)
    check(release.figures, answers, questionnaire.asked_at("new_lead"), grouped, 3)

    # The bounds of the ends, and what the methods page says of bands: z, and the typical spread.
    allowed = {"0.3", "4.7", "1.3", "1.645", "0.8"}
    for figure in release.figures:
        allowed |= {
            f"{mean:.1f}" for mean in (figure.mean, *(figure.band or ())) if mean is not None
        }
        allowed |= {f"{abs(figure.gap.value):.1f}"} if figure.gap else set()
    version = questionnaire.structure.version
    foreign = next(
        each for n in range(10, 51) if (each := f"{n / 10:.1f}") not in allowed | {version}
    )
    reader = Text()
    reader.feed(preview_html(Preview(release, questionnaire)))
    with pdfplumber.open(io.BytesIO(preview_pdf(Preview(release, questionnaire)))) as document:
        pdf = "\n".join(page.extract_text() for page in document.pages)
    for text in (reader.text, pdf):
        assert len(decimals(text)) > 5
        assert decimals(text) - allowed - {version} == set()
        # A template that printed one more number would be found, unless it is one of the allowed.
        assert decimals(f"{text} {foreign}") - allowed - {version} == {foreign}
    # And each of those allowed stands where it belongs.
    expected = rows_expected(release, questionnaire)
    assert len(expected) > 4
    assert rows_in(preview_html(Preview(release, questionnaire))) == expected
    printed = [" ".join(row) for chart in expected for row in chart]
    lines = iter(pdf.splitlines())
    assert [row for row in printed if not any(line.startswith(row[:40]) for line in lines)] == []


def rows_in(page: str) -> list[list[tuple[str, str]]]:
    """Return the rows of each chart, as value and label."""
    charts = re.findall(r'<p class="rows">(.*?)</p>', page, re.DOTALL)
    return [
        [(value, label) for value, _, label in (row.partition("\t") for row in rows)]
        for rows in (html.unescape(chart).split("\n") for chart in charts)
    ]


def rows_expected(release, questionnaire) -> list[list[tuple[str, str]]]:
    """Return what the charts should say, from the figures alone: whose, of what, how much."""
    texts = questionnaire.texts[release.language]
    asked = questionnaire.asked_at(release.level)
    themes = list(dict.fromkeys(facet.theme for facet in asked))
    figures = {(f.scope, f.key, f.of): f for f in release.figures if f.mean is not None}
    names = {atom.id: atom.label for atom in release.atoms}
    alone = {atom.id for atom in release.atoms if atom.identified}
    who = ["others", *(names if len(names) > 1 else ())]

    def value(figure):
        sign = {"at_least": "≥ ", "at_most": "≤ ", None: ""}[figure.end_coded]
        return f"{sign}{figure.mean:.1f}"

    def of_others(scope, keys):
        found = [(key, label) for key, label in keys if (scope, key, "others") in figures]
        return [(value(figures[scope, key, "others"]), label) for key, label in found]

    def of_everybody(scope, key):
        rows = []
        for of in who:
            if figure := figures.get((scope, key, of)):
                label = names.get(of, "All others")
                rows.append((value(figure), label if of in alone else f"{label} ({figure.n})"))
        return rows

    charts = [of_others("theme", [(theme, texts.themes[theme].label) for theme in themes])]
    for theme in themes:
        charts += [of_everybody("facet", facet.id) for facet in asked if facet.theme == theme]
    for facet in asked:
        items = [
            (item.id, texts.items[item.id].at(release.level).behaviour) for item in facet.items
        ]
        charts.append(of_others("item", items))
    return [chart for chart in charts if chart]


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_comments_name_all_groups_that_wrote_or_none(k):
    """For each number of peers and direct reports who wrote, up to eight of each."""
    prompt = Prompt(id="OP1", asked_of=KINDS)
    floor = max(k, 5)
    named = 0
    for sizes in itertools.product(range(9), repeat=2):
        written = {
            kind: [(f"{kind} {n}",) for n in range(count)]
            for kind, count in zip(KINDS[1:], sizes, strict=True)
        }
        alone = {"identified-1": [("The manager's own.",)]}
        made = comments(prompt, written, alone, floor, random.Random(1))

        texts = sorted(text for group in made if group.of != "identified-1" for text in group.texts)
        assert texts == sorted(text for some in written.values() for (text,) in some)
        labels = {group.of: len(group.texts) for group in made if group.of != "identified-1"}
        if labels and None not in labels:
            assert all(count >= floor for count in labels.values())
            named += 1
        else:
            assert set(labels) <= {None}
    # Both groups from the floor on, and each alone where the other wrote nothing.
    assert named == (9 - floor) ** 2 + 2 * (9 - floor)
