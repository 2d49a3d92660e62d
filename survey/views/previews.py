"""Previews, for their leader and for coaches who were given access."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, render_template, send_file, send_from_directory
from markupsafe import Markup

from reports import tables
from reports.preview import Preview
from reports.printing import PrintFailed
from reports.release import Release as Document
from survey import access, speech
from survey.access import allow
from survey.db import session
from survey.errors import Refused, marked
from survey.models import Release
from survey.services import coaching, questionnaires
from survey.site import site

log = logging.getLogger(__name__)


class Unprintable(Refused):
    """A PDF that could not be made within its limits."""

    status = 503
    message = marked(
        "The PDF could not be made in the time and memory that it may take. The preview on the "
        "page says the same; please tell whoever runs this server."
    )


bp = Blueprint("previews", __name__, url_prefix="/previews")


@bp.get("/<uuid:round_id>")
@allow("signed_in")
def show(round_id: UUID) -> str:
    """Show a preview as a page."""
    from reports.pdf import preview_body

    release = _readable(round_id)
    preview = _preview(release)
    speech.speak(preview.release.language)
    body = preview_body(preview)
    return render_template(
        "survey/previews/show.html",
        release=preview.release,
        round=release.round,
        tables=tables.NAMES,
        for_coach=access.person().id != release.round.leader_id,
        body=Markup(body),  # noqa: S704 - escaped by its templates
    )


@bp.get("/<uuid:round_id>/preview.pdf")
@allow("signed_in")
def pdf(round_id: UUID) -> Response:
    """Send a preview as a PDF."""
    from reports.pdf import preview_html

    return _printed(_readable(round_id), preview_html, ".pdf")


@bp.get("/<uuid:round_id>/guide.pdf")
@allow("signed_in")
def guide(round_id: UUID) -> Response:
    """Send the debrief guide to a preview as a PDF."""
    from reports.pdf import guide_html

    return _printed(_readable(round_id), guide_html, " guide.pdf")


@bp.get("/<uuid:round_id>/release.xlsx")
@allow("signed_in")
def workbook(round_id: UUID) -> Response:
    """Send a release as a workbook with a sheet for each table."""
    preview = _preview(_readable(round_id))
    mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _download(tables.to_xlsx(preview), mimetype, preview.release, ".xlsx")


@bp.get(f"/<uuid:round_id>/<any({', '.join(tables.NAMES)}):name>.csv")
@allow("signed_in")
def table(round_id: UUID, name: str) -> Response:
    """Send one table of a release as CSV."""
    preview = _preview(_readable(round_id))
    content = tables.to_csv(tables.tables(preview)[name])
    return _download(content, "text/csv", preview.release, f" {name}.csv")


@bp.get("/preview.css")
@allow("anybody")
def style() -> Response:
    """Send the preview's style sheet."""
    from reports.layout import ASSETS

    return send_from_directory(ASSETS, "preview.css", max_age=3600)


def _preview(release: Release) -> Preview:
    before = coaching.release_before(session(), release)
    return _read(release, _read(before) if before else None)


def _read(release: Release, before: Preview | None = None) -> Preview:
    document = Document.model_validate_json(release.document)
    return Preview(document, questionnaires.read(release.round.questionnaire), before)


def _printed(release: Release, html: Callable[[Preview], str], ending: str) -> Response:
    preview = _preview(release)
    try:
        content = site().printer.print(html(preview))
    except PrintFailed as failure:
        log.error("%s of round %s: %s", html.__name__, release.round_id, failure)
        raise Unprintable from None
    return _download(content, "application/pdf", preview.release, ending)


def _download(content: bytes, mimetype: str, release: Document, ending: str) -> Response:
    return send_file(
        io.BytesIO(content),
        mimetype=mimetype,
        as_attachment=True,
        download_name=f"Preview {release.leader} {release.closed_on}{ending}",
    )


def _readable(round_id: UUID) -> Release:
    return coaching.readable_release(session(), access.person(), round_id)
