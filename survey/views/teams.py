"""Team reports: administrators make them; who could work out one leader cannot open them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from reports.release import TeamRelease
from reports.rules import LEADERS_FROM
from reports.team_report import TeamReport
from survey import speech
from survey.access import allow, person
from survey.db import session
from survey.forms.teams import TeamForm
from survey.models import Round
from survey.services import questionnaires, rounds
from survey.services import teams as services
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.printed import printed
from survey.views.texts import USUAL, texts_of

bp = Blueprint("teams", __name__, url_prefix="/teams")
Page = str | Response | tuple[str, int]


@bp.get("")
@allow("administrator")
def index() -> Page:
    """List all team reports."""
    return render_template("survey/teams/index.html", teams=services.every(session()))


@bp.route("/new", methods=["GET", "POST"])
@allow("administrator")
def new() -> Page:
    """Make a team report from previews that leaders offer."""
    offered = services.offered(session())
    languages = rounds.languages(questionnaires.current(session(), USUAL))
    form = TeamForm(offered, languages, data={"language": say().code})
    done = attempt(
        form,
        lambda: services.make(
            session(),
            form.name.data,
            form.round_ids(),
            form.language.data,
            site().now(),
            person(),
        ),
    )
    if done:
        flash(say().gettext("The team report is ready; every leader in it is told by mail."))
        return redirect(url_for("teams.index"))
    page = render_template(
        "survey/teams/new.html",
        form=form,
        offered=offered,
        level=_level,
        last_day=site().last_day,
        leaders_from=LEADERS_FROM,
    )
    return page, status(form)


@bp.get("/<uuid:team_id>")
@allow("signed_in")
def show(team_id: UUID) -> Page:
    """Show a team report as a page."""
    from reports.pdf import team_body

    report = _report(team_id)
    speech.speak(report.release.language)
    # Escaped by its templates.
    body = Markup(team_body(report))  # noqa: S704
    return render_template("survey/teams/show.html", report=report, team_id=team_id, body=body)


@bp.get("/<uuid:team_id>/report.pdf")
@allow("signed_in")
def pdf(team_id: UUID) -> Page:
    """Send a team report as a PDF."""
    from reports.pdf import team_html

    report = _report(team_id)
    name = f"Team report {report.release.team} {report.release.closed_on}"
    return printed(team_html(report), name, f"team report {team_id}")


def _report(team_id: UUID) -> TeamReport:
    team = services.readable(session(), person(), team_id)
    release = TeamRelease.model_validate_json(team.document)
    return TeamReport(release, questionnaires.read(team.questionnaire))


def _level(round_: Round) -> str:
    return texts_of(round_).levels[round_.level].label
