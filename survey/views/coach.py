"""The coach's shelf: who gave access, notes of one's own, and all leaders together."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from reports.rules import LEADERS_FROM
from reports.team_report import TeamReport
from survey.access import allow, person
from survey.db import session
from survey.forms.account import PlainForm
from survey.forms.coach import NotesForm
from survey.services import coaching, questionnaires
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status

bp = Blueprint("coach", __name__, url_prefix="/shelf")
Page = str | Response | tuple[str, int]


@bp.get("")
@allow("coach")
def shelf() -> Page:
    """List the leaders who gave access, with the state of each round."""
    return render_template(
        "survey/coach/shelf.html",
        shelf=coaching.shelf(session(), person()),
        form=PlainForm(),
        leaders_from=LEADERS_FROM,
        now=site().now(),
        last_day=site().last_day,
    )


@bp.route("/<uuid:leader_id>/notes", methods=["GET", "POST"])
@allow("coach")
def notes(leader_id: UUID) -> Page:
    """Write notes that only this coach reads."""
    access = coaching.access_to(session(), person(), leader_id)
    form = NotesForm(data={"notes": access.notes})
    if attempt(form, lambda: coaching.write_notes(session(), person(), leader_id, form.notes.data)):
        flash(say().gettext("Your notes are saved."))
        return redirect(url_for("coach.shelf"))
    page = render_template("survey/coach/notes.html", form=form, leader=access.leader)
    return page, status(form)


@bp.post("/rounds/<uuid:round_id>/open")
@allow("coach")
def open_conversation(round_id: UUID) -> Page:
    """Let the leader read the preview, now that the coach has opened the conversation."""
    if attempt(
        PlainForm(),
        lambda: coaching.open_conversation(session(), person(), round_id, site().now()),
    ):
        flash(say().gettext("The leader can read the preview now, and gets a mail."))
    return redirect(url_for("coach.shelf"))


@bp.get("/group")
@allow("coach")
def group() -> Page:
    """Show what is seen of all leaders on the shelf together."""
    from reports.pdf import team_body

    name = say().gettext("The leaders of %(coach)s", coach=person().name)
    found = coaching.group(session(), person(), name, say().code)
    asked = questionnaires.read(found.questionnaire)
    report = TeamReport(found.release, asked, for_coach=True)
    # Escaped by its templates.
    body = Markup(team_body(report))  # noqa: S704
    return render_template("survey/coach/group.html", report=report, body=body)
