"""Lays HTML out as a tagged PDF. The same text gives the same bytes.

Nothing is fetched: style sheets, fonts and charts are bundled or in the text itself, and
every other reference, also one smuggled in by a name or a comment, goes nowhere.
This module knows no templates and no releases, so that a process which only prints is small.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

TEMPLATES = Path(__file__).parent.parent / "templates"
ASSETS = TEMPLATES / "reports" / "assets"
BUNDLED = "bundled"
SHEETS = ("scripts", "preview", "print")
RIGHT_TO_LEFT = re.compile(r"<!doctype html>\s*<html [^>]*dir=\"rtl\"")

Page = Literal["a4", "letter"]
PAGES = get_args(Page)


def lay_out(html: str, page: Page = "a4") -> bytes:
    """Return a document as a PDF/UA-1 file whose identifier is the digest of its HTML.

    Takes about a second; imports WeasyPrint on the first call.
    """
    from weasyprint import HTML

    styles, fonts = style_sheets(page, rtl=RIGHT_TO_LEFT.match(html) is not None)
    document = HTML(string=html, url_fetcher=_fetcher(), base_url=f"{BUNDLED}:///")
    made = document.write_pdf(
        stylesheets=styles,
        font_config=fonts,
        pdf_variant="pdf/ua-1",
        pdf_identifier=hashlib.sha256(html.encode()).hexdigest().encode(),
        finisher=_map_every_glyph,
    )
    return bytes(made)


def _map_every_glyph(_document: Any, pdf: Any) -> None:
    """Give each glyph a letter, as PDF/UA asks.

    Where a letter is drawn by several glyphs, as in Devanagari, WeasyPrint maps all but the
    first to nothing; they become U+2060, which is neither seen nor spoken.
    """
    for each in pdf.objects:
        lines = getattr(each, "stream", None)
        if lines and any(b"beginbfchar" in line for line in lines if isinstance(line, bytes)):
            each.stream = [line.replace(b"> <>", b"> <2060>") for line in lines]


def style_sheets(page: Page, *, rtl: bool = False) -> tuple[list[CSS], FontConfiguration]:
    """Return the parsed style sheets for a paper size and direction, and their fonts."""
    sheets, fonts = _style_sheets()
    return [sheets[name] for name in (*SHEETS, page, *(["rtl"] if rtl else []))], fonts


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
