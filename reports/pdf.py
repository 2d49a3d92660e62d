"""The preview and the debrief guide as HTML and as PDF, from a release and nothing else."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from questionnaires.definition import Questionnaire
from reports.guide import Guide
from reports.language import Language
from reports.layout import TEMPLATES, Page, lay_out
from reports.preview import Preview
from reports.release import Release, sha256


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
    return lay_out(html, sha256(release.to_json()), page)


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
