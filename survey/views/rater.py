"""The rater's pages: everything through one link, without an account.

Opening any of them changes nothing; only what is sent does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from reports.rules import LEADERS_FROM, rules
from survey import speech
from survey.access import allow
from survey.answers import Draft
from survey.db import session
from survey.errors import NotFound
from survey.forms.account import LanguageForm, PlainForm
from survey.forms.rater import Part, PartForm, part_form, parts
from survey.hints import hints
from survey.limits import count_unknown_link
from survey.models import Answered
from survey.services import ballots, invitations, proposals, questionnaires
from survey.services.ballots import LinkUnknown, NotStarted, Rater
from survey.services.invitations import OpenLink
from survey.services.rounds import languages
from survey.site import site
from survey.speech import say

bp = Blueprint("rater", __name__, url_prefix="/r/<link>")
Page = str | Response | tuple[str, int]


def for_rater(view: Callable[..., Page]) -> Callable[..., Page]:
    """Hand a view the rater that its link stands for, and speak the round's language."""

    @wraps(view)
    def found(link: str, **more: Any) -> Page:
        try:
            rater = ballots.rater(session(), site().keyring, link, site().now())
        except LinkUnknown:
            count_unknown_link()
            raise
        chosen = speech.chosen()
        speech.speak(chosen if chosen in _languages(rater) else rater.round.language)
        return view(rater, **more)

    return allow("anybody")(found)


@bp.get("")
@for_rater
def welcome(rater: Rater) -> Page:
    """Say who asks and who will see what; the buttons start or decline."""
    draft = ballots.draft(session(), rater)
    return _page(
        "welcome_pulse" if rater.round.pulse else "welcome",
        rater,
        draft=draft,
        rules=rules(rater.round.k),
        leaders_from=LEADERS_FROM,
        changes=proposals.approved(session(), rater.round),
        codes=_languages(rater),
        others=_others(rater),
        last_day_of=site().last_day,
        form=PlainForm(),
    )


@bp.post("/language")
@for_rater
def choose_language(rater: Rater) -> Page:
    """Speak another language from now on, in this browser."""
    form = LanguageForm(_languages(rater))
    if form.validate_on_submit():
        speech.choose(form.language.data)
    return redirect(url_for("rater.welcome", link=rater.link))


@bp.post("/start")
@for_rater
def start(rater: Rater) -> Page:
    """Begin, or go on where the rater stopped."""
    if PlainForm().validate_on_submit():
        ballots.start(session(), rater)
        session().commit()
    return redirect(url_for("rater.part", link=rater.link, number=1))


@bp.post("/decline")
@for_rater
def decline(rater: Rater) -> Page:
    """Take back whatever was typed or sent."""
    if PlainForm().validate_on_submit():
        ballots.decline(session(), rater)
        session().commit()
    return redirect(url_for("rater.declined", link=rater.link))


@bp.get("/declined")
@for_rater
def declined(rater: Rater) -> Page:
    """Say that nothing is kept, and that one may still change one's mind."""
    if rater.invitation.answered is not Answered.DECLINED:
        return redirect(url_for("rater.welcome", link=rater.link))
    return _page("declined", rater)


@bp.route("/part/<int:number>", methods=["GET", "POST"])
@for_rater
def part(rater: Rater, number: int) -> Page:
    """Show one part of the form, and save it."""
    draft = _draft(rater)
    if draft is None:
        if request.method == "POST":
            raise NotStarted
        return redirect(url_for("rater.welcome", link=rater.link))
    pages = parts(rater, bool(draft.identified))
    form = _part_form(draft, pages, number)
    if form.validate_on_submit():
        ballots.save(session(), rater, form.changes())
        session().commit()
        return redirect(_after(rater, pages, number))
    return _part_page(rater, pages, number, form)


@bp.post("/part/<int:number>/draft")
@for_rater
def keep(rater: Rater, number: int) -> Page:
    """Save what has changed on a part, for the script in the page, which reads the status only."""
    draft = _draft(rater)
    if draft is None:
        raise NotStarted
    form = _part_form(draft, parts(rater, bool(draft.identified)), number)
    if not form.validate_on_submit():
        return "", 422
    ballots.save(session(), rater, form.changes())
    session().commit()
    return "", 204


@bp.route("/check", methods=["GET", "POST"])
@for_rater
def check(rater: Rater) -> Page:
    """Show all answers once more, and send them."""
    draft = _draft(rater)
    if draft is None:
        return redirect(url_for("rater.welcome", link=rater.link))
    form, missing = PlainForm(), ballots.missing(rater, draft)
    if form.validate_on_submit() and not missing:
        ballots.send(session(), rater)
        session().commit()
        return redirect(url_for("rater.thanks", link=rater.link))
    pages = parts(rater, bool(draft.identified))
    refused = request.method == "POST"
    shown = {"draft": draft, "pages": pages, "form": form, "refused": refused}
    page = _page("check", rater, missing=missing, rules=rules(rater.round.k), **shown)
    return page, 422 if refused else 200


@bp.get("/thanks")
@for_rater
def thanks(rater: Rater) -> Page:
    """Say what happens now."""
    if rater.invitation.answered is not Answered.ANSWERED:
        return redirect(url_for("rater.welcome", link=rater.link))
    return _page("thanks", rater, others=_others(rater), last_day_of=site().last_day)


def _languages(rater: Rater) -> tuple[str, ...]:
    """Return what a rater may choose from; a leader's words are printed in the round's."""
    return (rater.round.language,) if rater.is_self else languages(rater.questionnaire)


def _others(rater: Rater) -> list[OpenLink]:
    """Return what else the same person is asked now."""
    person = rater.nomination.person
    found = invitations.open_to(session(), site().keyring, person, site().now())
    return [each for each in found if each.round.id != rater.round.id]


def _draft(rater: Rater) -> Draft | None:
    return ballots.draft(session(), rater)


def _part_form(draft: Draft, pages: tuple[Part, ...], number: int) -> PartForm:
    if not 1 <= number <= len(pages):
        raise NotFound
    return part_form(pages[number - 1], draft)


def _after(rater: Rater, pages: tuple[Part, ...], number: int) -> str:
    """Return the next part, or the check page after the last and when one came from there."""
    if number >= len(pages) or request.args.get("then") == "check":
        return url_for("rater.check", link=rater.link)
    return url_for("rater.part", link=rater.link, number=number + 1)


def _part_page(rater: Rater, pages: tuple[Part, ...], number: int, form: PartForm) -> Page:
    part = form.part
    shown = {"form": form, "part": part, "number": number, "pages": pages, "hints": hints}
    page = _page(f"part_{part.kind}", rater, **shown)
    return page, 422 if form.errors else 200


def _page(name: str, rater: Rater, **more: Any) -> str:
    texts = rater.questionnaire.texts[say().code]
    return render_template(
        f"survey/rater/{name}.html",
        rater=rater,
        texts=texts,
        leader=rater.round.leader.name,
        last_day=site().last_day(rater.round.closes_at),
        minutes=questionnaires.minutes(rater.round, rater.relationship),
        **more,
    )
