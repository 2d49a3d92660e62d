"""Signing in with a mailed code, and out again.

A code works only when it is typed and sent: mail scanners that open links can
spend nothing.
"""

from __future__ import annotations

import re

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from reports.language import spoken
from survey import access, speech
from survey.access import allow
from survey.db import session
from survey.errors import NotFound
from survey.forms.account import AddressForm, CodeForm, LanguageForm, PlainForm
from survey.services import second_step
from survey.services import sign_in as codes
from survey.site import site
from survey.speech import say

bp = Blueprint("account", __name__)
Page = str | Response | tuple[str, int]
BROWSER = "browser"
# Two slashes, or one of the other kind, would begin another host.
OWN_PATH = re.compile(r"/([A-Za-z0-9_.-][A-Za-z0-9_./-]*)?")


@bp.get("/")
@allow("anybody")
def home() -> Page:
    """Lead everybody to where they work; visitors learn what this is."""
    person = g.person
    if person is None:
        return render_template("survey/account/home.html")
    if person.leads:
        return redirect(url_for("leader.rounds"))
    return redirect(url_for("coach.shelf" if person.coaches else "administrator.people"))


@bp.route("/sign-in", methods=["GET", "POST"])
@allow("anybody")
def sign_in() -> Page:
    """Ask for an address and mail a code; the answer is the same for every address."""
    form = AddressForm()
    if form.is_submitted():
        _with_codes()
    if form.validate_on_submit():
        cookie[BROWSER] = codes.new_browser()
        codes.request_code(
            session(), site().keyring, cookie[BROWSER], form.email.data, say().code, site().now()
        )
        session().commit()
        return redirect(url_for("account.code"))
    settings = site().settings
    page = render_template(
        "survey/account/sign_in.html",
        form=form,
        organisation=settings.organisation,
        by_organisation=settings.oidc_issuer,
        by_code=settings.mailed_codes,
        by_passkey=settings.mailed_codes and site().passkey_origin(),
        passkey_form=PlainForm(),
    )
    return page, 422 if form.errors else 200


@bp.route("/sign-in/code", methods=["GET", "POST"])
@allow("anybody")
def code() -> Page:
    """Ask for the code, and sign in with it."""
    _with_codes()
    form = CodeForm()
    if form.validate_on_submit():
        person = codes.verify(
            session(), site().keyring, cookie.get(BROWSER, ""), form.code.data, site().now()
        )
        session().commit()
        if person is not None and second_step.of(session(), person):
            access.await_second_step(person, site().now())
            return redirect(url_for("second_step.ask"))
        if person is not None:
            access.sign_in(person, site().now(), second_step=False)
            return redirect(url_for("account.home"))
        form.code.errors = [
            say().gettext(
                "This code is wrong, too old or used already. Check the latest mail, or ask for "
                "a new code."
            )
        ]
    return render_template("survey/account/code.html", form=form), 422 if form.errors else 200


def _with_codes() -> None:
    if not site().settings.mailed_codes:
        raise NotFound


@bp.post("/language")
@allow("anybody")
def choose_language() -> Page:
    """Speak another language from now on, in this browser, and go back to where one was."""
    form = LanguageForm(spoken())
    if form.validate_on_submit():
        speech.choose(form.language.data)
    back = request.args.get("back", "")
    return redirect(back if _is_a_page_here(back) else url_for("account.home"))


def _is_a_page_here(path: str) -> bool:
    """Say whether a path is one of our own pages, and nothing that a browser reads as elsewhere."""
    return OWN_PATH.fullmatch(path) is not None and current_app.url_map.bind("").test(path, "GET")


@bp.post("/sign-out")
@allow("anybody")
def sign_out() -> Page:
    """Sign out, here and in every other browser."""
    if PlainForm().validate_on_submit():
        if g.person is not None:
            codes.sign_out(session(), g.person)
            session().commit()
        cookie.clear()
    answer = redirect(url_for("account.home"))
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer
