"""What the preview costs, as ratios of things measured side by side; run by `make bench`."""

from __future__ import annotations

import io
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pdfplumber

from questionnaires import loader
from reports.aggregate import aggregate
from reports.answers import Answers
from reports.layout import ASSETS, BUNDLED, SHEETS, lay_out
from reports.pdf import preview_html
from reports.preview import Preview
from reports.printing import Limits, Printer
from reports.release import Release
from tests.reports.conftest import setting

QUESTIONNAIRE = loader.builtin("technical_leader")
ROOT = Path(__file__).parents[2]
COMMENT = (
    "Hand over whole results instead of single steps; I would like to decide the order of the work "
    "myself. In March we agreed the goal, and then were left alone until Thursday."
)


def answers(raters: int, comments: int = 1) -> list[Answers]:
    """Raters who answer at random, the same ones each time, with comments to two prompts."""
    chance = random.Random(1)
    roster = ["self", "manager", *["peer"] * (raters // 2), *["direct_report"] * (raters // 2)]
    items = [item.id for item in QUESTIONNAIRE.items_at("new_lead")]
    long = " ".join([COMMENT] * comments)
    said = {"OP1": (long,), "OP2": (COMMENT,), "OP3": ("calm", "fair", "")}
    return [
        Answers(
            relationship,
            relationship == "manager",
            {item: chance.randint(1, 5) for item in items},
            {} if relationship == "self" else said,
        )
        for relationship in roster[: raters + 1]
    ]


def released(raters: int = 12, comments: int = 1) -> Release:
    asked = {"self": 1, "manager": 1, "peer": raters, "direct_report": raters}
    given = answers(raters, comments)
    return aggregate(setting(QUESTIONNAIRE, asked), given, random.Random(1))


demonstration = released


def cpu(function: Callable[[], object]) -> Callable[[], float]:
    """Return what measures the CPU seconds of this process and its children."""

    def used() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))

    def measure() -> float:
        before = used()
        function()
        return used() - before

    return measure


def wall(function: Callable[[], object]) -> Callable[[], float]:
    """Return what measures seconds on the clock; a browser has processes of its own."""

    def measure() -> float:
        began = time.perf_counter()
        function()
        return time.perf_counter() - began

    return measure


def without_charts(html: str) -> str:
    return re.sub(r"<img[^>]*>", "", html)


def with_styles(html: str) -> str:
    """The same page with the style sheets and fonts that the product prints it with."""
    sheets = [(ASSETS / f"{name}.css").read_text() for name in (*SHEETS, "a4")]
    styles = "".join(sheets).replace(f"{BUNDLED}:///", f"{ASSETS.as_uri()}/")
    return html.replace("</head>", f"<style>{styles}</style></head>")


def as_paragraphs(html: str) -> str:
    """The same words, a paragraph for each piece of text."""
    body = re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)
    pieces = [piece.strip() for piece in re.split(r"<[^>]+>", body)]
    text = "".join(f"<p>{piece}</p>" for piece in pieces if piece)
    return f'<!doctype html><html lang="en"><head><title>x</title></head><body>{text}</body></html>'


def test_the_preview_beside_its_text_and_beside_a_browser(timed, ratio, preview, tmp_path):
    html = preview_html(Preview(preview, QUESTIONNAIRE))
    page, bare = tmp_path / "page.html", tmp_path / "bare.html"
    page.write_text(with_styles(html))
    bare.write_text(html)
    chromium = shutil.which("chromium") or "chromium"

    def browser(page: Path) -> None:
        # Cold: with a profile of its own each time.
        with TemporaryDirectory() as profile:
            subprocess.run(
                [
                    chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", f"--user-data-dir={profile}",
                    f"--print-to-pdf={tmp_path / 'browser.pdf'}", page.as_uri(),
                ],
                check=True,
                capture_output=True,
            )  # fmt: skip

    # As the product prints: in its process, which is warm, as it is after the first preview.
    printer = Printer()
    found = timed(
        rounds=15,
        preview=cpu(lambda: lay_out(html)),
        on_the_clock=wall(lambda: printer.print(html)),
        without_charts=cpu(lambda: lay_out(without_charts(html))),
        paragraphs=cpu(lambda: lay_out(as_paragraphs(html))),
        chromium=wall(lambda: browser(page)),
        chromium_without_styles=wall(lambda: browser(bare)),
    )
    printer.close()
    ratio("Preview, tagged, 12 raters / its text without charts",
          found["preview"] / found["without_charts"], 1.15)  # fmt: skip
    ratio("Preview / the same words as plain paragraphs",
          found["preview"] / found["paragraphs"], 3)  # fmt: skip
    ratio("Preview / print of the same page by a cold headless Chromium",
          found["on_the_clock"] / found["chromium"], 0.65)  # fmt: skip


def count_pages(html: str) -> int:
    with pdfplumber.open(io.BytesIO(lay_out(html))) as pdf:
        return len(pdf.pages)


def test_a_page_of_many_costs_what_a_page_of_few_costs(timed, ratio, preview):
    few = preview_html(Preview(preview, QUESTIONNAIRE))
    long = preview_html(Preview(released(40, comments=92), QUESTIONNAIRE))
    pages = {"few": count_pages(few), "many": count_pages(long)}
    found = timed(rounds=3, few=cpu(lambda: lay_out(few)), many=cpu(lambda: lay_out(long)))
    assert pages["many"] >= 200, pages
    ratio(f"Time a page at {pages['many']} pages / at {pages['few']}",
          found["many"] / pages["many"] / (found["few"] / pages["few"]), 1.3)  # fmt: skip


def test_from_ratings_to_release_is_little_beside_the_pdf(timed, ratio, preview):
    html, given = preview_html(Preview(preview, QUESTIONNAIRE)), answers(12)
    asked = {"self": 1, "manager": 1, "peer": 12, "direct_report": 12}
    chance = random.Random(1)
    found = timed(
        release=cpu(lambda: aggregate(setting(QUESTIONNAIRE, asked), given, chance)),
        pdf=cpu(lambda: lay_out(html)),
    )
    ratio("From ratings to release / PDF", found["release"] / found["pdf"], 0.05)


def test_a_web_worker_that_can_make_reports_starts_as_fast(timed, ratio):
    def started(*without: str) -> Callable[[], object]:
        """Start a worker and answer one page; without reports, those views are empty."""
        hidden = f"import sys\nfor name in {without!r}: sys.modules[name] = type(sys)(name)\n"
        script = (
            "import tempfile; from pathlib import Path; from survey import create_app;"
            "from survey.config import Settings; folder = Path(tempfile.mkdtemp());"
            "app = create_app(Settings(database_url=f'sqlite:///{folder}/a.db', "
            "keyring=Path(tempfile.mkdtemp()) / 'k')); app.test_client().get('/sign-in')"
        )
        return lambda: subprocess.run(
            [sys.executable, "-c", hidden + script], cwd=ROOT, check=True, capture_output=True
        )

    found = timed(
        with_reports=cpu(started()),
        without_reports=cpu(started("pandas", "weasyprint", "scipy", "openpyxl", "xlsxwriter")),
    )
    ratio("Start of a web worker with / without what makes reports",
          found["with_reports"] / found["without_reports"], 1.1)  # fmt: skip


@contextmanager
def printers(number: int) -> Iterator[list[Printer]]:
    """Printing processes as the product runs them, each warm and kept for long."""
    running = [Printer(Limits(documents=1000)) for _ in range(number)]
    for printer in running:
        printer.print("<p>Warm.</p>")
    yield running
    for printer in running:
        printer.close()


def test_memory_is_small_and_does_not_grow(ratio, preview):
    html = preview_html(Preview(preview, QUESTIONNAIRE))
    peaks = []
    with printers(1) as [printer]:
        for _ in range(110):
            printer.print(html)
            status = Path(f"/proc/{printer._process.pid}/status").read_text()
            [peak] = [line for line in status.splitlines() if line.startswith("VmHWM")]
            peaks.append(int(peak.split()[1]) / 1024)

    ratio("Peak memory of the printing process", peaks[-1], 100, "MB")
    ratio("Growth of memory over 100 previews, after ten", (peaks[-1] / peaks[9] - 1) * 100, 2, "%")


def test_two_processes_print_nearly_twice_as_many(ratio, preview):
    html = preview_html(Preview(preview, QUESTIONNAIRE))

    def twelve(printer: Printer) -> None:
        for _ in range(12):
            printer.print(html)

    def took(number: int) -> float:
        with printers(number) as running, ThreadPoolExecutor() as threads:
            began = time.monotonic()
            list(threads.map(twelve, running))
            return time.monotonic() - began

    found = [2 * took(1) / took(2) for _ in range(3)]
    ratio("Two processes / one, in previews a second", sorted(found)[1], 1.8, at_least=True)
