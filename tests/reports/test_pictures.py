"""The pages look as they did when somebody last looked at them and was glad.

`REMAKE=1 pytest tests/reports/test_pictures.py` makes the reference pictures anew; look at each.
"""

from __future__ import annotations

import io
import os
from datetime import date
from pathlib import Path

import numpy as np
import pdfplumber
import pytest
from PIL import Image

from reports.layout import lay_out
from reports.pdf import guide_pdf, preview_pdf, team_html
from reports.preview import Preview
from reports.team import together
from reports.team_report import TeamReport
from tests.reports.made_up import released

REFERENCES = Path(__file__).parent / "pictures"
DOTS_AN_INCH = 40
# Share of dots that may differ clearly: fonts are drawn a little differently by each version.
TOLERANCE = 0.0008
CLEARLY = 64


def pictures(pdf: bytes) -> list[Image.Image]:
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return [
            page.to_image(resolution=DOTS_AN_INCH).original.convert("L") for page in document.pages
        ]


def differs(one: Image.Image, other: Image.Image) -> float:
    """Return the share of dots that differ clearly; 1 where the sizes do."""
    if one.size != other.size:
        return 1.0
    apart = np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int))
    return float((apart > CLEARLY).mean())


@pytest.fixture
def documents(release, questionnaire):
    before = released(questionnaire, closed_on=date(2026, 5, 15), seed=2, leaning=3.0)
    later = Preview(
        released(questionnaire, leaning=3.5), questionnaire, Preview(before, questionnaire)
    )
    leaders = [released(questionnaire, leader=f"Leader {n}", seed=n) for n in range(5)]
    team = TeamReport(together("The team", leaders, questionnaire, "en"), questionnaire)
    made = {
        "preview": pictures(preview_pdf(Preview(release, questionnaire))),
        "guide": pictures(guide_pdf(Preview(release, questionnaire))),
        # Of a follow-up only the page that the others do not have.
        "changes": pictures(preview_pdf(later))[3:4],
        "team": pictures(lay_out(team_html(team))),
    }
    if os.environ.get("REMAKE"):
        for name, pages in made.items():
            for number, page in enumerate(pages, start=1):
                page.save(REFERENCES / f"{name}-{number:02}.png", optimize=True)
    return made


def test_every_page_looks_as_it_did(documents, tmp_path):
    changed = []
    for name, pages in documents.items():
        for number, page in enumerate(pages, start=1):
            reference = REFERENCES / f"{name}-{number:02}.png"
            if not reference.exists() or differs(page, Image.open(reference)) > TOLERANCE:
                page.save(tmp_path / reference.name)
                changed.append(reference.name)
    known = {f"{name}-{n:02}.png" for name, pages in documents.items()
             for n in range(1, len(pages) + 1)}  # fmt: skip

    assert changed == [], f"look at them in {tmp_path}"
    assert {path.name for path in REFERENCES.iterdir()} == known


def test_a_line_that_moved_would_be_noticed(documents):
    page = documents["preview"][3]
    moved = page.copy()
    # One line of text, three millimetres lower.
    line = page.crop((40, 100, 300, 108))
    moved.paste(255, (40, 100, 300, 108))
    moved.paste(line, (40, 105))

    assert differs(page, moved) > TOLERANCE
    assert differs(page, page) == 0.0
