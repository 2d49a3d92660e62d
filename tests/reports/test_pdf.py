"""The PDF is the release and nothing else: same bytes, nothing fetched, every number in it."""

import io
import random
import re
import subprocess
import sys
from dataclasses import replace

import pdfplumber
import pytest
from page import ValidationProfile, validate_pdf_bytes
from weasyprint import HTML

from reports.aggregate import aggregate
from reports.answers import Answers
from reports.layout import ASSETS, _fetcher
from reports.pdf import preview_html, preview_pdf
from reports.preview import Preview
from reports.release import Release
from tests.reports.conftest import setting


def text_of(pdf: bytes) -> str:
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return "\n".join(page.extract_text() for page in document.pages)


def pages_of(pdf: bytes) -> list[str]:
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return [page.extract_text() for page in document.pages]


@pytest.fixture
def pdf(release, questionnaire):
    return preview_pdf(Preview(release, questionnaire))


def test_it_has_the_pages_a_leader_reads(pdf):
    titles = (
        "A preview, not a review", "How to read this", "At a glance", "Theme 1 of 3",
        "Theme 2 of 3", "Theme 3 of 3", "Statement by statement", "Seeing yourself",
        "In their words", "Your next 90 days", "Your plan, in your words", "The pathway",
        "How this was made",
    )  # fmt: skip
    pages = pages_of(pdf)

    assert len(pages) == len(titles)
    for title, page in zip(titles, pages, strict=True):
        assert title in page


def test_the_numbers_in_it_are_those_worked_out_by_hand(pdf):
    """See test_aggregate for how they come about."""
    room_to_lead = pages_of(pdf)[3]

    assert "centre on “Seldom” (2.4)" in room_to_lead
    assert "between 2.1 and 2.8" in room_to_lead
    assert "You see it clearly more often (4.0)" in room_to_lead
    for line in (
        "2.4 All others (9)",
        "3.0 Your manager",
        "2.4 Peers (5)",
        "2.5 Direct reports (4)",
    ):
        assert line in room_to_lead


def test_every_number_in_it_stands_in_the_release(release, questionnaire, pdf):
    figures = {
        f"{value:.1f}" for f in release.figures for value in (f.mean, *(f.band or ())) if value
    }
    known = figures | {"0.3", "0.8", "1.0"}
    read = pages_of(pdf)
    # Pages of figures; the cover and the methods have dates, versions and sources.
    printed = re.findall(r"(?<![\d.])\d\.\d(?![\d.])", "\n".join(read[2:8]))

    assert len(printed) > 50
    assert set(printed) <= known


def test_what_was_written_is_printed_in_full(release, pdf):
    text = text_of(pdf)

    for words in (
        "Peer's wish 0",
        "Peer's wish 1",
        "Peer's wish 2",
        "Bring me plans, not details.",
    ):
        assert words in text
    assert text.index("Your manager\nBring me plans") > text.index("Peer's wish")


def test_the_same_release_gives_the_same_bytes_in_another_process(release, pdf, tmp_path):
    (tmp_path / "release.json").write_text(release.to_json())
    script = (
        "import sys; from pathlib import Path;"
        "from questionnaires.loader import builtin; from reports.pdf import preview_pdf;"
        "from reports.preview import Preview; from reports.release import Release;"
        "release = Release.model_validate_json(Path(sys.argv[1]).read_text());"
        "Path(sys.argv[2]).write_bytes(preview_pdf(Preview(release, builtin('technical_leader'))))"
    )
    subprocess.run(
        [sys.executable, "-c", script, tmp_path / "release.json", tmp_path / "again.pdf"],
        check=True,
    )

    assert (tmp_path / "again.pdf").read_bytes() == pdf


def test_it_is_tagged_and_names_its_language_and_title(pdf):
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        catalog = document.doc.catalog
        assert catalog["MarkInfo"]["Marked"] is True
        assert catalog["Lang"] in (b"en", "en")
        assert document.metadata["Title"] == "Preview for Robin Sample"
        assert "StructTreeRoot" in catalog
        assert "Outlines" in catalog
        assert b'pdfuaid:part="1"' in catalog["Metadata"].resolve().get_data()


def test_the_layout_finds_nothing_to_complain_about(release, questionnaire, caplog):
    preview_pdf(Preview(release, questionnaire))

    assert [record.message for record in caplog.records if record.name == "weasyprint"] == []


def test_only_bundled_fonts_are_used(pdf):
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        fonts = {char["fontname"].split("+")[1] for page in document.pages for char in page.chars}

    assert {re.sub(r"-.*", "", font) for font in fonts} <= {
        "Source",
        "SourceSans3",
        "SourceSerif4Display",
    }


def hostile(release: Release, url: str, secret: str) -> Release:
    """A release in which everything that people type tries to fetch something."""
    marks = (
        f'<img src="{url}/img">', f'<link rel="stylesheet" href="{url}/css">',
        f"<style>body {{ background: url({url}/bg) }}</style>", f'<img src="file://{secret}">',
        f'<object data="{url}/object"></object>', f'"><svg><image href="{url}/svg"/></svg>',
        f"{{{{ {url} }}}}", "{% include 'x' %}", "\u202eright to left\u202c", "w" * 3000,
    )  # fmt: skip
    comments = tuple(group.model_copy(update={"texts": marks}) for group in release.comments)
    return release.model_copy(
        update={"leader": f'Eve <img src="{url}/name">', "comments": comments}
    )


def test_nothing_that_people_type_is_fetched_or_read(release, questionnaire, sink, tmp_path):
    url, calls = sink.url, sink.paths
    secret = tmp_path / "secret.txt"
    secret.write_text("Unmistakable")
    spoilt = hostile(release, url, str(secret))

    # Without escaping and without the fetcher, WeasyPrint does fetch.
    HTML(string=f'<img src="{url}/usual">').write_pdf()
    assert calls == ["/usual"]

    text = text_of(preview_pdf(Preview(spoilt, questionnaire)))
    assert calls == ["/usual"]
    assert "Unmistakable" not in text
    assert "<img src=" in text


def test_even_unescaped_markup_fetches_nothing(questionnaire, sink, tmp_path):
    """The second wall, should a template ever forget to escape."""
    url, calls = sink.url, sink.paths
    secret = tmp_path / "secret.svg"
    secret.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><text y="9">Unmistakable</text></svg>'
    )
    page = (
        f'<img src="{url}/a"><img src="file://{secret}">'
        f'<img src="bundled:///../../../survey/static/icon.svg">'
        f"<style>@import '{url}/b'; p {{ background: url({url}/c) }}</style><p>x</p>"
    )
    pdf = HTML(string=page, url_fetcher=_fetcher()).write_pdf()

    assert calls == []
    assert "Unmistakable" not in text_of(pdf)


def test_three_raters_and_no_self_rating_still_make_a_whole_preview(questionnaire, answered):
    answers = [answered("peer", 3, 3, 3) for _ in range(3)]
    small = aggregate(setting(questionnaire, {"peer": 3}), answers, random.Random(1))
    pages = pages_of(preview_pdf(Preview(small, questionnaire)))

    assert not any("Statement by statement" in page for page in pages)
    assert any("Your own view is not beside it" in page for page in pages)
    assert any("Nobody wrote a comment" in page for page in pages)
    assert "All others (3)" in pages[3]


def test_forty_raters_and_sixty_comments_make_a_whole_preview(questionnaire, answered):
    answers = [
        answered("peer", 3, 4, 2, words={"OP1": (f"Comment {n}. " * 12,), "OP2": ("Fine.",)})
        for n in range(40)
    ]
    large = aggregate(setting(questionnaire, {"peer": 45}), answers, random.Random(1))
    text = text_of(preview_pdf(Preview(large, questionnaire)))

    assert all(f"Comment {n}." in text for n in range(40))
    assert "40 people answered" in text


@pytest.mark.parametrize("level", ["self_leader", "new_lead", "manager", "senior_leader"])
def test_every_level_and_language_can_be_printed(questionnaire, level):
    items = {item.id: 3 for item in questionnaire.items_at(level)}
    answers = [Answers("peer", False, items, {}) for _ in range(5)]
    for language in questionnaire.texts:
        chosen = replace(setting(questionnaire, {"peer": 5}), level=level, language=language)
        release = aggregate(chosen, answers, random.Random(1))
        assert f'lang="{language}"' in preview_html(Preview(release, questionnaire))
        assert preview_pdf(Preview(release, questionnaire)).startswith(b"%PDF-")


def faults_against_pdf_ua(pdf: bytes) -> list[str]:
    """What an independent checker of PDF/UA-1 finds; it knows 104 of its rules."""
    report = validate_pdf_bytes(pdf, profile=ValidationProfile.PDF_UA_1)
    return [f"{failure.rule_id}: {failure.message}" for failure in report.failures]


SCRIPTS = (
    "Ναι, ευχαριστώ. Да, спасибо. مرحبا بكم في الاجتماع القادم. שלום לכולם.",
    "नमस्ते दुनिया। আমাদের সভা। ਸਤ ਸ੍ਰੀ ਅਕਾਲ। નમસ્તે. வணக்கம். నమస్కారం. ನಮಸ್ಕಾರ. നമസ്കാരം. ආයුබෝවන්.",
    "สวัสดี ສະບາຍດີ မင်္ဂလာပါ ជំរាបសួរ გამარჯობა Բարեւ ሰላም",
    "请早点分享草稿，谢谢。下書きを早めに見せてください。초안을 일찍 공유해 주세요.",
    "🙂 👍 🎉 ✓ ✗ → ⇒ ★ ☐ ½ € ₹ “…” – — Å ß ø ł ğ ế",
)


@pytest.fixture
def written_everywhere(release):
    """The release with comments, words and a name in many scripts."""
    comments = tuple(
        group.model_copy(update={"texts": group.texts + SCRIPTS}) for group in release.comments
    )
    return release.model_copy(update={"comments": comments, "leader": "Łukasz 田中 Ξένη سارة"})


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_checker_of_pdf_ua_finds_nothing(release, questionnaire, paper, language):
    spoken = release.model_copy(update={"language": language})

    assert faults_against_pdf_ua(preview_pdf(Preview(spoken, questionnaire), paper)) == []


def test_the_checker_does_find_what_is_wrong(questionnaire):
    pdf = HTML(string="<title>x</title><p>x").write_pdf()

    assert any("PDFUA1" in fault for fault in faults_against_pdf_ua(pdf))


def test_letters_of_many_scripts_are_drawn_with_bundled_fonts(written_everywhere, questionnaire):
    """Whatever fonts a machine has, and without an empty box: the checker finds those, too."""
    pdf = preview_pdf(Preview(written_everywhere, questionnaire))
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        used = {char["fontname"].split("+")[1] for page in document.pages for char in page.chars}

    assert faults_against_pdf_ua(pdf) == []
    bundled = {"Source", *(path.stem.split("-")[0] for path in (ASSETS / "fonts").rglob("*.ttf"))}
    assert {name.split("-")[0] for name in used} <= bundled
    assert len(used) > 20
