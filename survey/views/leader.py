"""The leader's pages: prepare a round, name raters, open it, wait, and let a coach read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from questionnaires.definition import SELF, Questionnaire
from reports.rules import LEADERS_FROM
from survey.access import allow, own_round, person
from survey.db import session
from survey.forms.account import PlainForm
from survey.forms.base import Form
from survey.forms.leader import (
    ClosingDayForm,
    CoachForm,
    EarlierForm,
    OneLessForm,
    OneMoreForm,
    PrepareForm,
    proposed_last_day,
    raters_form,
)
from survey.models import Person, Round
from survey.services import (
    approvals,
    coaching,
    mails,
    nominations,
    people,
    proposals,
    questionnaires,
    reminders,
    teams,
)
from survey.services import invitations as invitations_
from survey.services import rounds as services
from survey.services.nominations import Named
from survey.services.rounds import Choices
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status
from survey.views.texts import asked_for, first_level, spoken_texts

bp = Blueprint("leader", __name__, url_prefix="/rounds")
Page = str | Response | tuple[str, int]


@bp.get("")
@allow("leader")
def rounds() -> Page:
    """List the leader's rounds and coaches."""
    chosen = coaching.coaches_of(session(), person())
    others = [
        each for each in people.coaches(session()) if each not in chosen and each.id != person().id
    ]
    return render_template(
        "survey/leader/rounds.html",
        rounds=services.of_leader(session(), person()),
        coaches=chosen,
        released=coaching.releases_of(session(), person()),
        waiting=coaching.waiting(session(), person()),
        team_of=lambda round_id: teams.of_round(session(), round_id),
        coach_form=CoachForm(others),
        form=PlainForm(),
        leaders_from=LEADERS_FROM,
        last_day=site().last_day,
        now=site().now(),
    )


@bp.route("/new", methods=["GET", "POST"])
@allow("leader")
def new() -> Page:
    """Prepare a round."""
    questionnaire = asked_for()
    last_day = proposed_last_day(site().today())
    proposed = {
        "last_day": last_day,
        "language": say().code,
        "level": first_level(questionnaire),
    }
    form = PrepareForm(questionnaire, data=proposed)
    done = attempt(
        form,
        lambda: services.prepare(
            session(),
            person(),
            questionnaire,
            _choices(form),
            site().settings.k,
            site().now(),
            person(),
        ),
    )
    if done:
        return redirect(url_for("leader.raters", round_id=done.value.id))
    return _prepare_page(form, questionnaire)


@bp.route("/<uuid:round_id>/prepare", methods=["GET", "POST"])
@allow("leader")
def prepare(round_id: UUID) -> Page:
    """Change what a round asks, before it opens."""
    round_ = _prepared_round(round_id)
    stored = {
        "level": round_.level,
        "language": round_.language,
        "last_day": site().last_day(round_.closes_at),
        "message": round_.message,
        "coach_first": round_.coach_first,
    }
    questionnaire = questionnaires.read(round_.questionnaire)
    form = PrepareForm(questionnaire, own_days=round_.programme is None, data=stored)
    if attempt(
        form, lambda: services.change(session(), round_, _choices(form), site().now(), person())
    ):
        return redirect(url_for("leader.raters", round_id=round_.id))
    return _prepare_page(form, questionnaire, round_)


@bp.post("/<uuid:round_id>/discard")
@allow("leader")
def discard(round_id: UUID) -> Page:
    """Delete a round that has not opened."""
    round_ = own_round(round_id)
    if attempt(PlainForm(), lambda: services.discard(session(), round_, site().now(), person())):
        flash(say().gettext("The round was discarded; nobody was asked anything."))
    return redirect(url_for("leader.rounds"))


@bp.post("/<uuid:round_id>/offer")
@allow("leader")
def offer(round_id: UUID) -> Page:
    """Let a preview's figures go into a team report."""
    # What the leader may not read yet is not offered either.
    coaching.readable_release(session(), person(), round_id)
    if attempt(PlainForm(), lambda: teams.offer(session(), person(), round_id, site().now())):
        flash(say().gettext("Its figures may go into a team report now."))
    return redirect(url_for("leader.rounds", _anchor="teams"))


@bp.post("/<uuid:round_id>/take-offer-back")
@allow("leader")
def take_offer_back(round_id: UUID) -> Page:
    """Take that back, as long as no team report was made with it."""
    if attempt(
        PlainForm(), lambda: teams.take_offer_back(session(), person(), round_id, site().now())
    ):
        flash(say().gettext("It goes into no team report."))
    return redirect(url_for("leader.rounds", _anchor="teams"))


def _prepared_round(round_id: UUID) -> Round:
    """Return a round of the leader that has not opened. Raises NotFound, RoundStarted."""
    round_ = own_round(round_id)
    if not round_.is_prepared():
        raise services.RoundStarted
    return round_


def _choices(form: PrepareForm) -> Choices:
    return Choices(
        level=form.level.data,
        language=form.language.data,
        closes_at=site().end_of(form.last_day.data) if form.last_day else site().now(),
        message=form.message.data,
        coach_first=form.coach_first.data,
    )


def _prepare_page(
    form: PrepareForm, questionnaire: Questionnaire, round_: Round | None = None
) -> Page:
    page = render_template(
        "survey/leader/prepare.html",
        form=form,
        texts=spoken_texts(questionnaire),
        round=round_,
        questionnaire=questionnaire,
        offered=questionnaires.offered(session()),
        coaches=coaching.coaches_of(session(), person()),
        day_of=site().day_of,
        last_day=site().last_day,
    )
    return page, status(form)


@bp.route("/<uuid:round_id>/raters", methods=["GET", "POST"])
@allow("leader")
def raters(round_id: UUID) -> Page:
    """Name the raters of a round."""
    round_ = _prepared_round(round_id)
    questionnaire = questionnaires.read(round_.questionnaire)
    named = [
        Named(0, each.person.name, each.person.email, each.relationship)
        for each in nominations.proposed(session(), round_)
    ]
    form = raters_form(questionnaire.structure.relationships, named)
    if attempt(
        form,
        lambda: nominations.name_raters(session(), round_, form.named(), site().now(), person()),
    ):
        return redirect(url_for("leader.ready", round_id=round_.id))
    texts = questionnaire.texts[round_.language]
    again = bool(named) and not round_.nominations
    page = render_template(
        "survey/leader/raters.html", form=form, round=round_, texts=texts, again=again
    )
    return page, status(form)


@bp.route("/<uuid:round_id>/ready", methods=["GET", "POST"])
@allow("leader")
def ready(round_id: UUID) -> Page:
    """Show what will be sent and what can be shown, and send the invitations."""
    round_, form = _prepared_round(round_id), PlainForm()
    if attempt(
        form,
        lambda: services.open_round(
            session(),
            site().keyring,
            round_,
            site().now(),
            person(),
            site().settings.rounds_a_person,
        ),
    ):
        flash(say().gettext("The invitations are on their way."))
        return redirect(url_for("leader.show", round_id=round_.id))
    return _ready_page(round_, form)


@bp.post("/<uuid:round_id>/ask-approval")
@allow("leader")
def ask_approval(round_id: UUID) -> Page:
    """Ask the manager to look at the raters."""
    round_, form = _prepared_round(round_id), PlainForm()
    if attempt(form, lambda: approvals.ask(session(), round_, site().now(), person())):
        return redirect(url_for("leader.ready", round_id=round_.id))
    return _ready_page(round_, form)


def _ready_page(round_: Round, form: PlainForm) -> Page:
    page = render_template(
        "survey/leader/ready.html",
        round=round_,
        form=form,
        approved=services.is_approved(round_),
        outlook=nominations.outlook(round_),
        texts=questionnaires.read(round_.questionnaire).texts[round_.language],
        last_day=site().last_day(round_.closes_at),
        day_of=site().day_of,
        now=site().now(),
    )
    return page, status(form)


@bp.get("/<uuid:round_id>")
@allow("leader")
def show(round_id: UUID) -> Page:
    """Show where a round stands: which groups have enough, never who or when."""
    round_ = own_round(round_id)
    if round_.is_prepared():
        return redirect(url_for("leader.raters", round_id=round_.id))
    return _round_page(round_, PlainForm(formdata=None))


@bp.post("/<uuid:round_id>/extend")
@allow("leader")
def extend(round_id: UUID) -> Page:
    """Move the closing day on."""
    round_, form = own_round(round_id), ClosingDayForm()
    if attempt(
        form,
        lambda: services.extend(
            session(), round_, site().end_of(form.last_day.data), site().now(), person()
        ),
    ):
        return redirect(url_for("leader.show", round_id=round_.id))
    return _round_page(round_, form)


@bp.post("/<uuid:round_id>/remind")
@allow("leader")
def remind(round_id: UUID) -> Page:
    """Remind those who have not answered; the leader learns how many, not who."""
    round_ = own_round(round_id)
    done = attempt(PlainForm(), lambda: reminders.remind(session(), round_, site().now(), person()))
    if done:
        flash(
            say().ngettext(
                "One person gets a reminder.", "%(num)s people get a reminder.", done.value
            )
        )
    return redirect(url_for("leader.show", round_id=round_.id))


@bp.post("/<uuid:round_id>/close-earlier")
@allow("leader")
def close_earlier(round_id: UUID) -> Page:
    """Propose an earlier closing day."""
    round_, form = own_round(round_id), EarlierForm()
    return _propose(
        round_,
        form,
        lambda: proposals.propose_earlier(
            session(), round_, site().end_of(form.earlier_day.data), site().now(), person()
        ),
    )


@bp.post("/<uuid:round_id>/ask-one-more")
@allow("leader")
def ask_one_more(round_id: UUID) -> Page:
    """Propose to ask one more person."""
    round_ = own_round(round_id)
    form = OneMoreForm(_relationships(round_))
    return _propose(
        round_,
        form,
        lambda: proposals.propose_one_more(
            session(),
            round_,
            form.named(),
            site().now(),
            person(),
            site().settings.rounds_a_person,
        ),
    )


@bp.post("/<uuid:round_id>/ask-one-less")
@allow("leader")
def ask_one_less(round_id: UUID) -> Page:
    """Propose to ask somebody no longer."""
    round_ = own_round(round_id)
    form = OneLessForm(_raters(round_))
    return _propose(
        round_,
        form,
        lambda: proposals.propose_one_less(
            session(), round_, UUID(form.person.data), site().now(), person()
        ),
    )


def _propose(round_: Round, form: Form, act: Callable[[], object]) -> Page:
    if attempt(form, act):
        flash(say().gettext("Your proposal waits for an administrator to agree."))
        return redirect(url_for("leader.show", round_id=round_.id))
    return _round_page(round_, form)


@bp.post("/<uuid:round_id>/proposals/<uuid:proposal_id>/withdraw")
@allow("leader")
def withdraw(round_id: UUID, proposal_id: UUID) -> Page:
    """Take a proposal back."""
    round_, proposal = own_round(round_id), proposals.find(session(), proposal_id)
    if attempt(
        PlainForm(), lambda: proposals.withdraw(session(), proposal, site().now(), person())
    ):
        flash(say().gettext("Your proposal was taken back."))
    return redirect(url_for("leader.show", round_id=round_.id))


def _relationships(round_: Round) -> dict[str, str]:
    questionnaire = questionnaires.read(round_.questionnaire)
    texts = questionnaire.texts[round_.language]
    return {name: texts.relationships[name].label for name in questionnaire.structure.relationships}


def _raters(round_: Round) -> list[Person]:
    asked = [each.person for each in round_.nominations if each.relationship != SELF]
    return sorted(asked, key=lambda person: person.name)


@bp.post("/<uuid:round_id>/void")
@allow("leader")
def void(round_id: UUID) -> Page:
    """End a round without a preview; whatever was answered is destroyed unopened."""
    round_ = own_round(round_id)
    attempt(PlainForm(), lambda: services.void(session(), round_, site().now(), person()))
    return redirect(url_for("leader.rounds"))


@bp.post("/<uuid:round_id>/own-link")
@allow("leader")
def own_link(round_id: UUID) -> Page:
    """Mail the leader's own link once more."""
    round_ = own_round(round_id)
    if attempt(
        PlainForm(),
        lambda: invitations_.send_again(session(), round_, person(), site().now(), person()),
    ):
        flash(say().gettext("Your link is on its way to you."))
    return redirect(url_for("leader.show", round_id=round_.id))


@bp.post("/coaches")
@allow("leader")
def give_access() -> Page:
    """Let a coach read the leader's previews."""
    form = CoachForm(people.coaches(session()))
    if attempt(
        form,
        lambda: coaching.give_access(
            session(),
            person(),
            UUID(form.coach.data),
            site().settings.language,
            site().now(),
            person(),
        ),
    ):
        flash(say().gettext("Access was given; the coach gets a mail."))
    return redirect(url_for("leader.rounds"))


@bp.post("/coaches/<uuid:coach_id>/take-back")
@allow("leader")
def take_access_back(coach_id: UUID) -> Page:
    """End a coach's access."""
    if attempt(
        PlainForm(),
        lambda: coaching.take_access_back(session(), person(), coach_id, site().now(), person()),
    ):
        flash(say().gettext("Access was taken back."))
    return redirect(url_for("leader.rounds"))


def _round_page(round_: Round, sent: Form) -> Page:
    """Show where a round stands, with the form that was sent as it was, and others empty."""

    def form(kind: type[Form], *choices: Any) -> Form:
        return sent if isinstance(sent, kind) else kind(*choices, formdata=None)

    page = render_template(
        "survey/leader/round.html",
        round=round_,
        texts=questionnaires.read(round_.questionnaire).texts[round_.language],
        asked=services.asked(session(), round_),
        enough=services.enough(round_).groups,
        rated_self=services.answered(session(), round_)[SELF] > 0,
        undelivered=mails.in_trouble(session(), round_),
        changes=proposals.approved(session(), round_),
        waiting=proposals.waiting(session(), site().now(), round_),
        waits_for_coach=round_.id in coaching.waiting(session(), person()),
        remind_from=reminders.next_from(round_),
        most_reminders=reminders.MOST,
        last_day=site().last_day(round_.closes_at),
        last_day_of=site().last_day,
        day_of=site().day_of,
        sent=sent,
        extend_form=form(ClosingDayForm),
        earlier_form=form(EarlierForm),
        one_more_form=form(OneMoreForm, _relationships(round_)),
        one_less_form=form(OneLessForm, _raters(round_)),
        form=PlainForm(formdata=None),
        now=site().now(),
    )
    return page, status(sent)
