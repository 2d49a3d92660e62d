"""Previews, for their leader and for coaches who were given access."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, render_template, request, send_from_directory
from markupsafe import Markup

from reports import tables
from reports.preview import Preview
from survey import access, speech
from survey.access import allow, own_round
from survey.db import session
from survey.models import Release
from survey.services import coaching, practices, previews, printouts
from survey.views.printed import download, printed
from survey.views.texts import texts_of

bp = Blueprint("previews", __name__, url_prefix="/previews")


@bp.get("/<uuid:round_id>")
@allow("signed_in")
def show(round_id: UUID) -> str:
    """Show a preview as a page."""
    from reports.pdf import SHAREABLE, preview_body

    release = _readable(round_id)
    preview = previews.of(session(), release)
    speech.speak(preview.release.language)
    body = preview_body(preview)
    plan = practices.plan_for(session(), release)
    return render_template(
        "survey/previews/show.html",
        release=preview.release,
        round=release.round,
        tables=tables.NAMES,
        for_coach=access.person().id != release.round.leader_id,
        plan=plan,
        slot=practices.slot_of(plan) if plan else None,
        texts=texts_of(release.round),
        shareable=[page for page in SHAREABLE if _is_there(page, preview)],
        body=Markup(body),  # noqa: S704 - escaped by its templates
    )


@bp.get("/<uuid:round_id>/preview.pdf")
@allow("signed_in")
def pdf(round_id: UUID) -> Response:
    """Send a preview as a PDF."""
    from reports.pdf import preview_html

    release = _readable(round_id)
    preview = previews.of(session(), release)
    html = preview_html(preview)
    ready = printouts.ready(session(), release, html)
    return printed(html, _name(preview), f"preview of round {round_id}", ready)


@bp.get("/<uuid:round_id>/pages.pdf")
@allow("leader")
def some_pages(round_id: UUID) -> Response:
    """Send the pages that the leader chose to share, as a PDF."""
    from reports.pdf import SHAREABLE, preview_html

    release = coaching.readable_release(session(), access.person(), own_round(round_id).id)
    preview = previews.of(session(), release)
    pages = [page for page in SHAREABLE if page in request.args.getlist("pages")]
    html = preview_html(preview, pages)
    return printed(html, f"{_name(preview)} pages", f"pages of round {round_id}")


@bp.get("/<uuid:round_id>/guide.pdf")
@allow("signed_in")
def guide(round_id: UUID) -> Response:
    """Send the debrief guide to a preview as a PDF."""
    from reports.pdf import guide_html

    preview = previews.of(session(), _readable(round_id))
    return printed(guide_html(preview), f"{_name(preview)} guide", f"guide of round {round_id}")


@bp.get("/<uuid:round_id>/release.xlsx")
@allow("signed_in")
def workbook(round_id: UUID) -> Response:
    """Send a release as a workbook with a sheet for each table."""
    preview = previews.of(session(), _readable(round_id))
    mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return download(tables.to_xlsx(preview), mimetype, f"{_name(preview)}.xlsx")


@bp.get(f"/<uuid:round_id>/<any({', '.join(tables.NAMES)}):name>.csv")
@allow("signed_in")
def table(round_id: UUID, name: str) -> Response:
    """Send one table of a release as CSV."""
    preview = previews.of(session(), _readable(round_id))
    content = tables.to_csv(tables.tables(preview)[name])
    return download(content, "text/csv", f"{_name(preview)} {name}.csv")


@bp.get("/<any(preview, rtl):sheet>.css")
@allow("anybody")
def style(sheet: str) -> Response:
    """Send the preview's style sheet, or what changes sides in it from right to left."""
    from reports.layout import ASSETS

    return send_from_directory(ASSETS, f"{sheet}.css", max_age=3600)


def _is_there(page: str, preview: Preview) -> bool:
    """Say whether a preview has a page that not every one has."""
    there = {"changes": preview.before, "pulse": preview.pulses, "fields": preview.rated_self()}
    return bool(there.get(page, True))


def _name(preview: Preview) -> str:
    return f"Preview {preview.release.leader} {preview.release.closed_on}"


def _readable(round_id: UUID) -> Release:
    return coaching.readable_release(session(), access.person(), round_id)
