"""Programmes, for administrators: many leaders on common days, and how far their rounds are."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.access import allow, person
from survey.db import session
from survey.forms.account import PlainForm
from survey.forms.base import Form
from survey.forms.leader import ClosingDayForm, proposed_last_day
from survey.forms.programmes import LeadersForm, ProgrammeForm
from survey.models import Programme
from survey.services import mails, printouts, questionnaires
from survey.services import programmes as services
from survey.services.programmes import Common, Group
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.lists import piece_asked, words_asked
from survey.views.texts import asked_for, first_level, spoken_texts

bp = Blueprint("programmes", __name__, url_prefix="/administration/programmes")
Page = str | Response | tuple[str, int]
UNTIL_INVITATIONS = timedelta(days=14)
ALL, BEHIND = "all", "behind"


@bp.get("")
@allow("administrator")
def index() -> Page:
    """List the programmes."""
    return render_template(
        "survey/programmes/index.html",
        programmes=services.every(session()),
        day_of=site().day_of,
        last_day=site().last_day,
    )


@bp.route("/new", methods=["GET", "POST"])
@allow("administrator")
def new() -> Page:
    """Set up a programme."""
    questionnaire = asked_for()
    first_day = site().today() + UNTIL_INVITATIONS
    proposed = {
        "first_day": first_day,
        "last_day": proposed_last_day(first_day),
        "language": say().code,
        "level": first_level(questionnaire),
    }
    form = ProgrammeForm(questionnaire, data=proposed)
    done = attempt(
        form,
        lambda: services.make(
            session(),
            _common(form),
            form.members(),
            questionnaire,
            site().settings.k,
            site().now(),
            person(),
        ),
    )
    if done:
        flash(say().gettext("The programme is set up; its leaders get a mail."))
        return redirect(url_for("programmes.show", programme_id=done.value.id))
    page = render_template(
        "survey/programmes/new.html",
        form=form,
        texts=spoken_texts(questionnaire),
        questionnaire=questionnaire,
        offered=questionnaires.offered(session()),
    )
    return page, status(form)


def _common(form: ProgrammeForm) -> Common:
    return Common(
        name=form.name.data,
        # The day begins where the one before ends.
        opens_at=site().end_of(form.first_day.data - timedelta(days=1)),
        closes_at=site().end_of(form.last_day.data),
        level=form.level.data,
        language=form.language.data,
        message=form.message.data,
        approves=form.approves.data,
    )


@bp.get("/<uuid:programme_id>")
@allow("administrator")
def show(programme_id: UUID) -> Page:
    """Show how far each round is, never its raters."""
    return _show_page(services.find(session(), programme_id), PlainForm(formdata=None))


@bp.post("/<uuid:programme_id>/leaders")
@allow("administrator")
def add(programme_id: UUID) -> Page:
    """Add leaders."""
    programme, form = services.find(session(), programme_id), LeadersForm()
    done = attempt(
        form,
        lambda: services.add(
            session(),
            programme,
            form.members(),
            site().settings.k,
            site().now(),
            person(),
        ),
    )
    if done:
        flash(say().gettext("They are part of the programme now and get a mail."))
        return redirect(url_for("programmes.show", programme_id=programme.id))
    return _show_page(programme, form)


@bp.post("/<uuid:programme_id>/remind")
@allow("administrator")
def remind(programme_id: UUID) -> Page:
    """Mail the leaders whose rounds wait for them."""
    programme = services.find(session(), programme_id)
    done = attempt(
        PlainForm(),
        lambda: services.remind_leaders(session(), programme, site().now(), person()),
    )
    if done:
        flash(say().ngettext("One leader gets a mail.", "%(num)s leaders get a mail.", done.value))
    return redirect(url_for("programmes.show", programme_id=programme.id))


@bp.post("/<uuid:programme_id>/closing-day")
@allow("administrator")
def move_closing_day(programme_id: UUID) -> Page:
    """Give all rounds more time."""
    programme, form = services.find(session(), programme_id), ClosingDayForm()
    done = attempt(
        form,
        lambda: services.move_closing_day(
            session(), programme, site().end_of(form.last_day.data), site().now(), person()
        ),
    )
    if done:
        return redirect(url_for("programmes.show", programme_id=programme.id))
    return _show_page(programme, form)


@bp.post("/<uuid:programme_id>/rounds/<uuid:round_id>/take-out")
@allow("administrator")
def take_out(programme_id: UUID, round_id: UUID) -> Page:
    """Discard a round that has not opened."""
    programme = services.find(session(), programme_id)
    if attempt(
        PlainForm(),
        lambda: services.take_out(session(), programme, round_id, site().now(), person()),
    ):
        flash(say().gettext("The round was taken out; nobody was asked anything."))
    return redirect(url_for("programmes.show", programme_id=programme.id))


@bp.post("/<uuid:programme_id>/hold-mails")
@allow("administrator")
def hold_mails(programme_id: UUID) -> Page:
    """Let the mails to a programme's raters wait."""
    return _hold(programme_id, held=True)


@bp.post("/<uuid:programme_id>/let-mails-go")
@allow("administrator")
def let_mails_go(programme_id: UUID) -> Page:
    """Send the mails that were held."""
    return _hold(programme_id, held=False)


def _hold(programme_id: UUID, *, held: bool) -> Page:
    programme = services.find(session(), programme_id)
    attempt(
        PlainForm(), lambda: mails.hold(session(), programme, site().now(), person(), held=held)
    )
    return redirect(url_for("programmes.show", programme_id=programme.id))


@bp.post("/<uuid:programme_id>/stop-printing")
@allow("administrator")
def stop_printing(programme_id: UUID) -> Page:
    """Print no more of a programme's previews ahead."""
    programme, since = services.find(session(), programme_id), site().printed_since()
    attempt(
        PlainForm(),
        lambda: printouts.stop(session(), programme, site().now(), since, person()),
    )
    return redirect(url_for("programmes.show", programme_id=programme.id))


def _show_page(programme: Programme, sent: Form) -> Page:
    """Show a programme, with the form that was sent as it was, and others empty."""
    now, words = site().now(), words_asked()
    tally = services.tally(session(), programme, now)
    # It opens with those that somebody has to look after.
    show = request.args.get("show") or (BEHIND if tally.behind and not words else ALL)
    groups = None if show == ALL else [each for each in tally.groups if _is_shown(each, show)]
    page = render_template(
        "survey/programmes/show.html",
        programme=programme,
        tally=tally,
        progress=services.some_progress(session(), programme, now, piece_asked(), words, groups),
        words=words,
        show=show,
        sending=mails.sending(session(), programme),
        printing=printouts.progress(session(), programme, site().printed_since()),
        sent=sent,
        leaders_form=sent if isinstance(sent, LeadersForm) else LeadersForm(formdata=None),
        day_form=sent if isinstance(sent, ClosingDayForm) else ClosingDayForm(formdata=None),
        form=PlainForm(formdata=None),
        day_of=site().day_of,
        last_day=site().last_day,
    )
    return page, status(sent)


def _is_shown(group: Group, show: str) -> bool:
    return group.behind if show == BEHIND else group.standing == show
