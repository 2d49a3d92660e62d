"""Signing in with the organisation's account; these pages are only there if it has one for us."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, url_for
from werkzeug.wrappers import Response

from survey import access, openid
from survey.access import allow
from survey.config import Settings
from survey.db import session
from survey.errors import NotAllowed, marked
from survey.services import sign_in
from survey.site import site

bp = Blueprint("openid", __name__, url_prefix="/sign-in/organisation")


class NotKnown(NotAllowed):
    """The organisation knows somebody who has nothing to do here."""

    message = marked(
        "Nobody signs in here with the address %(address)s. Whoever runs Preview360 in your "
        "organisation can add you. Giving feedback needs no account: the link in your mail is "
        "enough."
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Let people sign in so."""
    openid.init_app(app, settings)
    app.register_blueprint(bp)


@bp.get("")
@allow("anybody")
def leave() -> Response:
    """Go to the organisation's own sign-in."""
    return openid.leave(site().settings.base_url + url_for("openid.back"))


@bp.get("/back")
@allow("anybody")
def back() -> Response:
    """Return from there, as whoever the organisation says.

    It is the one page that signs in although it is only opened: what stands in its address
    works once, and only in the browser that left.
    """
    address = openid.verified_address()
    person = sign_in.known(session(), address)
    if person is None:
        raise NotKnown(address=address)
    access.sign_in(person, site().now(), second_step=True)
    return redirect(url_for("account.home"))
