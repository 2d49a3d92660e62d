"""Makes the README's pictures: `python -m tests.pictures`, or `make pictures`."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pdfplumber
from playwright.sync_api import sync_playwright

from survey.demo.play import Stage, play

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PAGES = {"preview-glance.png": 2, "preview-theme.png": 3}


def main() -> None:
    """Play the demonstration and keep two pages of the preview and one of the form."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), 0, print)
        try:
            pdf = play(stage)
            with pdfplumber.open(pdf) as document:
                for name, number in PAGES.items():
                    document.pages[number].to_image(resolution=110).save(IMAGES / name)
            link = re.search(r"http://\S+/r/\S+", stage.catcher.text_to("dana@example.org", "Sam"))
            if link is not None:
                picture_of_form(link[0])
        finally:
            stage.stop()


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
