"""The preview and the debrief guide as HTML and as PDF, from a release and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.changes import Changes
from reports.guide import Guide
from reports.language import Language
from reports.layout import TEMPLATES, Page, lay_out
from reports.preview import Preview
from reports.release import sha256
from reports.team_report import TeamReport

# What a preview holds besides its cover, how to read it, and how it was made.
PAGES = (
    "glance", "changes", "themes", "statements", "fields", "quotes", "practices", "plan", "pulse",
    "pathway",
)  # fmt: skip
# What people wrote was written for the leader: among colleagues it would be guessed who it was.
SHAREABLE = tuple(page for page in PAGES if page != "quotes")


def preview_body(preview: Preview) -> str:
    """Return the pages of a preview as HTML sections, without head or body."""
    return _render("reports/preview/body.html", preview, **_of_preview(preview))


def preview_html(preview: Preview, pages: Collection[str] = PAGES) -> str:
    """Return a preview, or some of its pages, as a whole HTML document, as it is printed."""
    about = {**_of_preview(preview), "pages": pages}
    return _render("reports/preview/document.html", preview, **about)


def guide_html(preview: Preview) -> str:
    """Return the debrief guide to a preview as a whole HTML document, as it is printed."""
    document = "reports/guide/document.html"
    return _render(document, preview, guide=Guide(preview), **_of_preview(preview))


def team_body(report: TeamReport) -> str:
    """Return the pages of a team report as HTML sections, without head or body."""
    return _render("reports/team/body.html", report, report=report)


def team_html(report: TeamReport) -> str:
    """Return a team report as a whole HTML document, as it is printed."""
    return _render("reports/team/document.html", report, report=report)


def preview_pdf(preview: Preview, page: Page = "a4") -> bytes:
    """Return a preview as a PDF/UA-1 file."""
    return lay_out(preview_html(preview), page)


def guide_pdf(preview: Preview, page: Page = "a4") -> bytes:
    """Return the debrief guide to a preview as a PDF/UA-1 file."""
    return lay_out(guide_html(preview), page)


def _of_preview(preview: Preview) -> dict[str, Any]:
    before = preview.before
    return {
        "pages": PAGES,
        "preview": preview,
        "changes": Changes(preview, before) if before else None,
        "digest_before": sha256(before.release.to_json()) if before else None,
    }


def _render(template: str, about: Preview | TeamReport, **more: Any) -> str:
    return (
        _environment(about.say)
        .get_template(template)
        .render(
            release=about.release,
            say=about.say,
            texts=about.texts,
            digest=sha256(about.release.to_json()),
            **more,
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
