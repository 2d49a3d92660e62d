"""One's own sign-in: passkeys, an authenticator app, and being asked for one of them.

What is shown of a passkey's options is for the script `passkeys.js`, which asks the browser.
"""

from __future__ import annotations

from uuid import UUID

import pyotp
import segno
from flask import Blueprint, flash, g, jsonify, redirect, render_template, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from survey import access
from survey.access import allow, person
from survey.db import session
from survey.errors import NotFound, Refused, marked
from survey.forms.account import CodeForm, PasskeyForm, PlainForm
from survey.services import passkeys, second_step, sign_in
from survey.site import Site, site
from survey.speech import say
from survey.views.acting import attempt, status

bp = Blueprint("second_step", __name__)
Page = str | Response | tuple[str, int]
# Which browser a passkey's answer is expected of.
BROWSER = "passkey"


@bp.get("/account")
@allow("signed_in")
def show() -> Page:
    """Show how one signs in."""
    return _own_page(PasskeyForm())


def _own_page(form: PasskeyForm) -> Page:
    page = render_template(
        "survey/account/own.html",
        form=form,
        steps=second_step.of(session(), person()),
        missing=access.lacks_second_step(person()),
        fresh=access.is_fresh(),
        own_way=site().settings.mailed_codes,
        organisation=site().settings.organisation,
        origin=site().passkey_origin(),
        day_of=site().day_of,
    )
    return page, status(form)


@bp.post("/account/passkeys/options")
@allow("signed_in")
def ask_for_new() -> Page:
    """Tell a script what to ask the browser for: a new passkey."""
    _may_change()
    cookie[BROWSER] = sign_in.new_browser()
    options = passkeys.ask_for_new(
        session(), site().keyring, cookie[BROWSER], person(), _origin(), site().now()
    )
    session().commit()
    return jsonify(options)


@bp.post("/account/passkeys")
@allow("signed_in")
def add_passkey() -> Page:
    """Keep a new passkey."""
    form = PasskeyForm()
    _may_change()
    if not attempt(
        form,
        lambda: passkeys.add(
            session(),
            site().keyring,
            cookie.get(BROWSER, ""),
            person(),
            form.credential.data,
            form.name.data,
            _origin(),
            say().code,
            site().now(),
        ),
    ):
        return _own_page(form)
    return _changed(marked("The passkey is added. You can sign in with it."))


@bp.post("/account/passkeys/<uuid:passkey_id>/remove")
@allow("signed_in")
def remove_passkey(passkey_id: UUID) -> Page:
    """Forget a passkey."""
    _may_change()
    attempt(
        PlainForm(),
        lambda: passkeys.remove(session(), person(), passkey_id, say().code, site().now()),
    )
    return _changed(marked("The passkey is removed. Delete it in your device, too."))


@bp.post("/account/app/begin")
@allow("signed_in")
def begin_app() -> Page:
    """Begin to set up an authenticator app."""
    _may_change()
    attempt(PlainForm(), lambda: second_step.begin_app(session(), site().keyring, person()))
    return redirect(url_for("second_step.confirm_app"))


@bp.route("/account/app", methods=["GET", "POST"])
@allow("signed_in")
def confirm_app() -> Page:
    """Show the key for the app, and take the code that shows that the app has it."""
    form = CodeForm()
    _may_change()
    if attempt(
        form,
        lambda: second_step.confirm_app(
            session(), site().keyring, person(), form.code.data, say().code, site().now()
        ),
    ):
        return _changed(marked("The app is set up. You are asked for its code at each sign-in."))
    secret = second_step.begun_secret(session(), site().keyring, person())
    issuer = f"Preview360 {site().settings.organisation}"
    uri = pyotp.TOTP(secret).provisioning_uri(name=person().email, issuer_name=issuer)
    page = render_template(
        "survey/account/app.html",
        form=form,
        uri=uri,
        picture=segno.make(uri, error="m").svg_data_uri(scale=5, light="#fff"),
        groups=[secret[at : at + 4] for at in range(0, len(secret), 4)],
    )
    return page, status(form)


@bp.post("/account/app/remove")
@allow("signed_in")
def remove_app() -> Page:
    """Forget the app."""
    _may_change()
    attempt(
        PlainForm(), lambda: second_step.remove_app(session(), person(), say().code, site().now())
    )
    return _changed(marked("The app is removed."))


@bp.route("/sign-in/second-step", methods=["GET", "POST"])
@allow("anybody")
def ask() -> Page:
    """Ask whoever has sent the right code by mail for the second step."""
    _own_way()
    waiting = access.waiting()
    if waiting is None:
        return redirect(url_for("account.home" if g.person else "account.sign_in"))
    form = CodeForm()
    if attempt(form, lambda: _take_code(form)):
        access.sign_in(waiting, site().now(), second_step=True)
        return redirect(url_for("account.home"))
    page = render_template(
        "survey/account/second_step.html",
        form=form,
        passkey_form=PlainForm(),
        steps=second_step.of(session(), waiting),
    )
    return page, status(form)


def _take_code(form: CodeForm) -> None:
    waiting = access.waiting()
    if waiting is None or not second_step.take_code(
        session(), site().keyring, waiting, form.code.data, site().now()
    ):
        raise second_step.CodeNotRight


@bp.post("/sign-in/passkey/options")
@allow("anybody")
def ask_for_any() -> Page:
    """Tell a script what to ask the browser for: any passkey for this server."""
    cookie[BROWSER] = sign_in.new_browser()
    options = passkeys.ask_for_any(
        session(), site().keyring, cookie[BROWSER], _origin(), site().now()
    )
    session().commit()
    return jsonify(options)


@bp.post("/sign-in/passkey")
@allow("anybody")
def use_passkey() -> Page:
    """Sign in with a passkey."""
    form, origin = PasskeyForm(), _origin()
    if not form.validate_on_submit():
        raise passkeys.PasskeyRefused
    try:
        who = passkeys.use(
            session(), site().keyring, cookie.get(BROWSER, ""), form.credential.data, origin,
            site().now(),
        )  # fmt: skip
    except Refused as refused:
        # What was asked of it is used up.
        session().commit()
        flash(refused.said(say().gettext))
        return redirect(url_for("account.sign_in"))
    session().commit()
    access.sign_in(who, site().now(), second_step=True)
    return redirect(url_for("account.home"))


def _own_way() -> Site:
    """Return the installation if one may sign in here by oneself. Raises NotFound."""
    if not site().settings.mailed_codes:
        raise NotFound
    return site()


def _origin() -> str:
    """Return our address as browsers know it for passkeys. Raises NotFound."""
    origin = _own_way().passkey_origin()
    if origin is None:
        raise NotFound
    return origin


def _may_change() -> None:
    """Raise NotFound where one signs in elsewhere, SignInFirst after a while."""
    _own_way()
    access.must_be_fresh()


def _changed(said: str) -> Response:
    """Keep this browser signed in, which all others are not any more, and say what was done."""
    access.renew(person(), second_step=bool(second_step.of(session(), person())))
    flash(say().gettext(said))
    return redirect(url_for("second_step.show"))
