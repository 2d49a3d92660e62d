"""Lays the preview and the debrief guide out as HTML and as tagged PDFs.

The same release gives the same bytes. Nothing is fetched: style sheet, fonts
and charts are bundled or in the page itself, and every other reference, also
one smuggled in by a name or a comment, goes nowhere.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from questionnaires.definition import Questionnaire
from reports.guide import Guide
from reports.language import Language
from reports.preview import Preview
from reports.release import Release, sha256

if TYPE_CHECKING:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

TEMPLATES = Path(__file__).parent.parent / "templates"
ASSETS = TEMPLATES / "reports" / "assets"
BUNDLED = "bundled"

Page = Literal["a4", "letter"]
PAGES = get_args(Page)


def preview_body(release: Release, questionnaire: Questionnaire) -> str:
    """Return the pages of the preview as HTML sections, without head or body."""
    return _render("reports/preview/body.html", release, questionnaire)


def preview_html(release: Release, questionnaire: Questionnaire) -> str:
    """Return the preview as a whole HTML document, as it is printed."""
    return _render("reports/preview/document.html", release, questionnaire)


def guide_html(release: Release, questionnaire: Questionnaire) -> str:
    """Return the debrief guide as a whole HTML document, as it is printed."""
    return _render("reports/guide/document.html", release, questionnaire)


def preview_pdf(release: Release, questionnaire: Questionnaire, page: Page = "a4") -> bytes:
    """Return the preview as a PDF/UA-1 file."""
    return _pdf(preview_html(release, questionnaire), release, page)


def guide_pdf(release: Release, questionnaire: Questionnaire, page: Page = "a4") -> bytes:
    """Return the debrief guide as a PDF/UA-1 file."""
    return _pdf(guide_html(release, questionnaire), release, page)


def _pdf(html: str, release: Release, page: Page) -> bytes:
    """Lay out a document made from a release.

    Takes about a second, most of it for the layout; imports WeasyPrint on the
    first call.
    """
    from weasyprint import HTML

    styles, fonts = style_sheets(page)
    document = HTML(string=html, url_fetcher=_fetcher(), base_url=f"{BUNDLED}:///")
    return bytes(
        document.write_pdf(
            stylesheets=styles,
            font_config=fonts,
            pdf_variant="pdf/ua-1",
            pdf_identifier=sha256(release.to_json()).encode(),
            finisher=_map_every_glyph,
        )
    )


def _map_every_glyph(_document: Any, pdf: Any) -> None:
    """Give each glyph a letter, as PDF/UA asks.

    Where a letter is drawn by several glyphs, as in Devanagari, WeasyPrint maps all but the
    first to nothing; they become U+2060, which is neither seen nor spoken.
    """
    for each in pdf.objects:
        lines = getattr(each, "stream", None)
        if lines and any(b"beginbfchar" in line for line in lines if isinstance(line, bytes)):
            each.stream = [line.replace(b"> <>", b"> <2060>") for line in lines]


def _render(template: str, release: Release, questionnaire: Questionnaire) -> str:
    preview = Preview(release, questionnaire)
    return (
        _environment(preview.say)
        .get_template(template)
        .render(
            preview=preview,
            guide=Guide(release, questionnaire),
            release=release,
            say=preview.say,
            texts=preview.texts,
            digest=sha256(release.to_json()),
        )
    )


@lru_cache
def _environment(say: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Installed by the i18n extension; the stubs do not know it.
    extended: Any = environment
    extended.install_gettext_translations(say.translations, newstyle=True)
    environment.filters["as_image"] = _as_image
    return environment


def _as_image(svg: str) -> Markup:
    """Return an SVG as a data URI; charts in an <img> cost far less to lay out than inline."""
    data = base64.b64encode(str(svg).encode()).decode()
    return Markup("data:image/svg+xml;base64,") + data


def style_sheets(page: Page) -> tuple[list[CSS], FontConfiguration]:
    """Return the parsed style sheets for a paper size, and their fonts."""
    sheets, fonts = _style_sheets()
    return [sheets[name] for name in ("scripts", "preview", "print", page)], fonts


@lru_cache
def _style_sheets() -> tuple[dict[str, CSS], FontConfiguration]:
    """Read all style sheets, once in a process.

    The fonts are copied into a temporary folder for the library that lays text out.
    """
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheets = {
        path.stem: CSS(
            string=path.read_text(encoding="utf-8"),
            base_url=f"{BUNDLED}:///",
            url_fetcher=_fetcher(),
            font_config=fonts,
        )
        for path in sorted(ASSETS.glob("*.css"))
    }
    return sheets, fonts


def _fetcher() -> Any:
    """Return a fetcher that serves bundled fonts and charts in the page, and nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Bundled(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            parts = urlsplit(url)
            if parts.scheme == BUNDLED:
                path = (ASSETS / parts.path.lstrip("/")).resolve()
                if path.is_relative_to(ASSETS):
                    return URLFetcherResponse(url, path.read_bytes())
            return super().fetch(url, headers)

    return Bundled(allowed_protocols=("data",), allow_redirects=False)
