"""One's own tokens: made, shown once, and ended."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from survey import access
from survey.access import allow, person
from survey.db import session
from survey.forms.account import PlainForm, TokenForm
from survey.services import tokens
from survey.site import site
from survey.speech import say
from survey.views.acting import attempt, status

bp = Blueprint("tokens", __name__, url_prefix="/account/tokens")
Page = str | Response | tuple[str, int]


@bp.route("", methods=["GET", "POST"])
@allow("signed_in")
def index() -> Page:
    """List one's tokens, and make one, which is shown this once."""
    scopes = tokens.offered(person())
    form, here = TokenForm(scopes), site()
    if form.is_submitted():
        access.must_be_fresh()
    done = attempt(
        form,
        lambda: tokens.make(
            session(),
            here.keyring,
            person(),
            form.name.data,
            form.scopes.data,
            int(form.days.data),
            say().code,
            here.now(),
        ),
    )
    if done:
        access.renew(person())
    page = render_template(
        "survey/account/tokens.html",
        form=TokenForm(scopes, formdata=None) if done else form,
        plain=PlainForm(),
        scopes=scopes,
        tokens=tokens.of(session(), person()),
        made=done.value if done else None,
        fresh=access.is_fresh(),
        day_of=here.day_of,
        now=here.now(),
    )
    return page, status(form)


@bp.post("/<uuid:token_id>/remove")
@allow("signed_in")
def remove(token_id: UUID) -> Page:
    """End a token, as soon as somebody wants to."""
    if attempt(
        PlainForm(),
        lambda: tokens.remove(session(), person(), token_id, say().code, site().now()),
    ):
        access.renew(person())
        flash(say().gettext("The token opens nothing any more."))
    return redirect(url_for("tokens.index"))
