"""Previews, for their leader and for coaches who were given access."""

from __future__ import annotations

import io
import logging
from uuid import UUID

from flask import Blueprint, Response, render_template, send_file, send_from_directory
from markupsafe import Markup

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
    document = Document.model_validate_json(release.document)
    questionnaire = questionnaires.read(release.round.questionnaire)
    speech.speak(document.language)
    return render_template(
        "survey/previews/show.html",
        release=document,
        round=release.round,
        body=Markup(preview_body(document, questionnaire)),  # noqa: S704 - escaped by its templates
    )


@bp.get("/<uuid:round_id>/preview.pdf")
@allow("signed_in")
def pdf(round_id: UUID) -> Response:
    """Send a preview as a PDF."""
    release = _readable(round_id)
    document = Document.model_validate_json(release.document)
    questionnaire = questionnaires.read(release.round.questionnaire)
    try:
        content = site().printer.print(document, questionnaire)
    except PrintFailed as failure:
        log.error("preview of round %s: %s", round_id, failure)
        raise Unprintable from None
    return send_file(
        io.BytesIO(content),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"Preview {document.leader} {document.closed_on}.pdf",
    )


@bp.get("/preview.css")
@allow("anybody")
def style() -> Response:
    """Send the preview's style sheet."""
    from reports.pdf import ASSETS

    return send_from_directory(ASSETS, "preview.css", max_age=3600)


def _readable(round_id: UUID) -> Release:
    return coaching.readable_release(session(), access.person(), round_id)
