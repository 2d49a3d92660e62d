"""Every page stands well, however few or many answered and however much they wrote.

No words lie over one another or outside the page, no heading is left alone at the foot, and no
page but a cover holds only a line or two.
"""

from __future__ import annotations

import io
from datetime import date
from functools import partial
from typing import Any

import pdfplumber
import pytest

from reports import language as language_
from reports.layout import Page, lay_out
from reports.pdf import guide_html, preview_html, team_html
from reports.preview import Preview
from reports.team import together
from reports.team_report import TeamReport
from tests import pseudo
from tests.reports.made_up import WISH, pulse, released

FEWEST_LINES = 4
EDGE = 28  # points; a little under a centimetre
LONG = WISH * 13
LONGEST_NAME = (
    "Maximiliane-Alexandra von und zu Hohenlohe-Waldenburg-Schillingsfürst, Leiterin Technik"
)
UNBROKEN = "Donaudampfschifffahrtsgesellschaftskapitaen" * 2


@pytest.fixture
def closed(questionnaire):
    return partial(released, questionnaire)


def faults(html: str, paper: Page) -> list[str]:
    """Return what does not stand well, page by page."""
    found = []
    with pdfplumber.open(io.BytesIO(lay_out(html, paper))) as pdf:
        for page in pdf.pages:
            covers = page.page_number == 1 and 'class="cover"' in html
            said = [*_overlaps(page), *_outside(page), *([] if covers else _stranded(page))]
            found += [f"page {page.page_number}: {each}" for each in said]
    return found


def _lines(page) -> list[dict[str, Any]]:
    """The lines of a page without its foot."""
    foot = page.height - 60
    return [line for line in page.extract_text_lines(return_chars=True) if line["top"] < foot]


def _overlaps(page) -> list[str]:
    words = sorted(page.extract_words(), key=lambda word: word["top"])
    found = []
    for number, one in enumerate(words):
        for other in words[number + 1 :]:
            if other["top"] >= one["bottom"]:
                break
            across = min(one["x1"], other["x1"]) - max(one["x0"], other["x0"])
            down = one["bottom"] - other["top"]
            if across > 1 and down > 0.4 * (one["bottom"] - one["top"]):
                found.append(f"“{one['text']}” lies over “{other['text']}”")
    return found


def _outside(page) -> list[str]:
    wide = page.width - EDGE
    drawn = [] if page.page_number == 1 else [*page.rects, *page.lines]
    out = [
        each for each in [*page.extract_words(), *drawn] if each["x0"] < EDGE or each["x1"] > wide
    ]
    return [f"“{each.get('text', 'a line')}” stands outside" for each in out]


def _stranded(page) -> list[str]:
    lines = _lines(page)
    # Lines to write on count as well, but not alone.
    ruled = sum(each["width"] > page.width / 2 for each in [*page.rects, *page.lines])
    if not lines or len(lines) + ruled < FEWEST_LINES:
        return [f"only {len(lines)} lines"]
    last = lines[-1]
    heading = all("Semi-Bold" in char["fontname"] or char["size"] > 13 for char in last["chars"])
    # A question of the plan has room to write below it.
    drawn = [*page.rects, *page.lines, *page.curves, *page.images]
    below = any(each["bottom"] > last["bottom"] for each in drawn if each["top"] < page.height - 60)
    return [f"“{last['text']}” is left alone"] if heading and not below else []


def test_these_checks_find_what_does_not_stand_well():
    """Each is shown a page that it must not let pass."""
    line = "<p>One more line of text.</p>"
    over = f"{line * 9}<p style='margin-top:-2.2em'>Over it.</p>"
    assert any("lies over" in each for each in faults(f"<html lang=en>{over}", "a4"))
    wide = f"<html lang=en><p style='margin-left:-23mm'>Far out.</p>{line * 9}"
    assert "page 1: “Far” stands outside" in faults(wide, "a4")
    assert faults(f"<html lang=en>{line}", "a4") == ["page 1: only 1 lines"]
    alone = f"<html lang=en><article class=preview>{line * 9}<p style='font-weight:600'>Alone</p>"
    assert faults(alone, "a4") == ["page 1: “Alone” is left alone"]
    assert faults(f"<html lang=en>{line * 9}", "a4") == []


SHAPES = {
    "three raters who wrote nothing": {"peers": 3, "reports": 0, "text": "", "rated_self": False},
    "four raters": {"peers": 4, "reports": 0},
    "twelve raters": {},
    "forty raters": {"peers": 20, "reports": 20},
    "no comments": {"text": ""},
    "sixty comments": {"peers": 16, "reports": 14},
    "long comments": {"text": LONG},
    "words that do not end": {"text": UNBROKEN * 3},
    "a long name": {"leader": LONGEST_NAME},
    "a name of one long word": {"leader": UNBROKEN},
    "everybody content": {"leaning": 4.8},
    "nobody content": {"leaning": 1.3},
    "a self-leader": {"level": "self_leader"},
    "a senior leader": {"level": "senior_leader"},
}


@pytest.mark.parametrize(("language", "paper"), [("en", "a4"), ("de", "letter")])
@pytest.mark.parametrize("shape", SHAPES)
def test_previews_and_guides_stand_well(closed, questionnaire, shape, language, paper):
    preview = Preview(closed(**SHAPES[shape], language=language), questionnaire)

    assert faults(preview_html(preview), paper) == []
    assert faults(guide_html(preview), paper) == []


@pytest.mark.parametrize(("language", "paper"), [("en", "a4"), ("de", "letter")])
@pytest.mark.parametrize("leaning", [2.0, 3.3, 4.2])
def test_follow_ups_stand_well(closed, questionnaire, leaning, language, paper):
    before = closed(closed_on=date(2026, 5, 15), seed=2, leaning=leaning, language=language)
    preview = Preview(closed(language=language), questionnaire, Preview(before, questionnaire))

    assert faults(preview_html(preview), paper) == []
    assert faults(guide_html(preview), paper) == []


@pytest.mark.parametrize(("language", "paper"), [("en", "a4"), ("de", "letter")])
@pytest.mark.parametrize("shape", [{"n": 3, "text": ""}, {}, {"n": 20, "text": LONG}])
def test_pulses_stand_well(closed, questionnaire, shape, language, paper):
    pulses = [pulse(questionnaire, language, number, **shape) for number in (1, 2)]
    before = closed(closed_on=date(2026, 5, 15), seed=2, language=language)
    asked = Preview(before, questionnaire, pulses=pulses)

    assert faults(preview_html(asked), paper) == []
    follow_up = Preview(closed(language=language), questionnaire, asked)
    assert faults(preview_html(follow_up), paper) == []


@pytest.fixture
def arabic(tmp_path, monkeypatch, questionnaire):
    """The questionnaire in an invented Arabic, with all messages in it."""
    pseudo.write_catalogue(tmp_path)
    monkeypatch.setattr(language_, "CATALOGUES", tmp_path)
    for each in (language_.language, language_.spoken):
        each.cache_clear()
    yield pseudo.questionnaire_in_both(questionnaire)
    for each in (language_.language, language_.spoken):
        each.cache_clear()


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_from_right_to_left_they_stand_well(arabic, paper):
    text = pseudo.mirrored(WISH)
    preview = Preview(
        released(arabic, language=pseudo.CODE, text=text),
        arabic,
        pulses=[pulse(arabic, pseudo.CODE, text=text)],
    )

    assert faults(preview_html(preview), paper) == []
    assert faults(guide_html(preview), paper) == []


@pytest.mark.parametrize(("language", "paper"), [("en", "a4"), ("de", "letter")])
@pytest.mark.parametrize(
    ("leaders", "name", "levels"),
    [
        (4, "Platform", ("new_lead",)),
        (30, LONGEST_NAME, ("new_lead", "manager")),
        (6, UNBROKEN, ("self_leader", "new_lead")),
    ],
)
def test_team_reports_stand_well(closed, questionnaire, leaders, name, levels, language, paper):
    releases = [
        closed(leader=f"Leader Number{n} Example", level=levels[n % len(levels)], seed=n)
        for n in range(leaders)
    ]
    report = TeamReport(together(name, releases, questionnaire, language), questionnaire)

    assert faults(team_html(report), paper) == []
