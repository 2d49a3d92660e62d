"""Makes the pictures of README and gallery: `python -m tests.pictures`, or `make pictures`."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pdfplumber
from playwright.sync_api import sync_playwright
from sqlalchemy import select

from questionnaires import loader
from reports.layout import lay_out
from reports.pdf import guide_pdf, preview_html, team_html
from reports.preview import Preview
from reports.release import Release as Document
from reports.team import together
from reports.team_report import TeamReport
from survey import db
from survey.demo.play import Stage, play
from survey.models import Release
from survey.services import questionnaires
from tests.reports.made_up import released

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PAGES = {
    "preview-cover.png": 0,
    "preview-glance.png": 2,
    "preview-theme.png": 3,
    "preview-fields.png": 7,
    "preview-words.png": 8,
    "preview-plan.png": -3,
    "preview-pathway.png": -2,
}


def main() -> None:
    """Play the demonstration and keep pages of the preview, of the guide and of the form."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), 0, print)
        try:
            pdf = play(stage)
            with pdfplumber.open(pdf) as document:
                for name, number in PAGES.items():
                    document.pages[number].to_image(resolution=110).save(IMAGES / name)
            with pdfplumber.open(io.BytesIO(guide_of(stage))) as document:
                document.pages[1].to_image(resolution=110).save(IMAGES / "guide.png")
            of_reports()
            link = re.search(r"http://\S+/r/\S+", stage.catcher.text_to("dana@example.org", "Sam"))
            if link is not None:
                picture_of_form(link[0])
        finally:
            stage.stop()


def of_reports() -> None:
    """Keep a page of a follow-up and of a team report, of raters who answered at random."""
    asked = loader.builtin("technical_leader")
    before = released(asked, closed_on=date(2026, 5, 15), seed=2, leaning=3.0)
    later = Preview(released(asked, leaning=3.5), asked, Preview(before, asked))
    leaders = [released(asked, leader=f"Leader {n}", seed=n) for n in range(5)]
    team = TeamReport(together("Platform and tools", leaders, asked, "en"), asked)
    for html, number, name in (
        (preview_html(later), 3, "preview-changes.png"),
        (team_html(team), 1, "team.png"),
    ):
        with pdfplumber.open(io.BytesIO(lay_out(html))) as document:
            document.pages[number].to_image(resolution=110).save(IMAGES / name)


def guide_of(stage: Stage) -> bytes:
    """Return the debrief guide to the demonstration's preview."""
    with stage.app.app_context():
        stored = db.session().scalars(select(Release)).one()
        questionnaire = questionnaires.read(stored.round.questionnaire)
        return guide_pdf(Preview(Document.model_validate_json(stored.document), questionnaire))


def picture_of_form(link: str) -> None:
    """Photograph the first part of the form on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 390, "height": 860}, device_scale_factor=2)
        page.goto(link)
        page.get_by_role("button", name="Start").click()
        page.locator("input[value='4']").first.check()
        page.screenshot(path=IMAGES / "form.png")
        browser.close()


if __name__ == "__main__":
    main()
