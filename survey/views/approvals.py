"""Approving whom a leader wants to ask: by a link in a mail, without an account."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from survey import speech
from survey.access import allow
from survey.db import session
from survey.errors import NotFound
from survey.forms.programmes import ApprovalForm
from survey.limits import count_unknown_link
from survey.links import read_approval_path
from survey.services import approvals as services
from survey.services import questionnaires
from survey.site import site
from survey.views.acting import attempt, status

bp = Blueprint("approvals", __name__)
Page = str | Response | tuple[str, int]


@bp.route("/approve/<token>", methods=["GET", "POST"])
@allow("anybody")
def decide(token: str) -> Page:
    """Show the raters a leader has named; approve them, or send the list back with a note."""
    read = read_approval_path(site().keyring, token)
    if read is None:
        count_unknown_link()
        raise NotFound
    round_ = services.waiting(session(), *read)
    if not speech.chosen():
        speech.speak(round_.language)
    form = ApprovalForm(data={"read": services.roster(round_)})
    now = site().now()
    if form.send_back.data:
        done = attempt(
            form,
            lambda: services.send_back(session(), round_, form.read.data, form.note.data, now),
        )
    else:
        done = attempt(form, lambda: services.approve(session(), round_, form.read.data, now))
    if done:
        return redirect(url_for("approvals.decide", token=token))
    texts = questionnaires.read(round_.questionnaire).texts[round_.language]
    page = render_template(
        "survey/approvals/decide.html",
        round=round_,
        texts=texts,
        form=form,
        last_day=site().last_day(round_.closes_at),
    )
    return page, status(form)
