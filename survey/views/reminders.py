"""Stopping reminders: from a link in the mail, or by the mail program itself in one click."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from survey.access import allow
from survey.db import session
from survey.errors import NotFound
from survey.limits import count_unknown_link
from survey.links import read_stop_path
from survey.services import reminders as services
from survey.site import site

bp = Blueprint("reminders", __name__)


@bp.route("/no-reminders/<path>", methods=["GET", "POST"])
@allow("anybody")
def stop(path: str) -> str:
    """Ask once, and stop; mail programs send the POST without opening anything (RFC 8058).

    It takes no proof of a form, which no mail program could have: the link is the proof.
    """
    invitation_id = read_stop_path(site().keyring, path)
    if invitation_id is None:
        count_unknown_link()
        raise NotFound
    done = request.method == "POST"
    if done:
        services.stop(session(), invitation_id)
        session().commit()
    return render_template("survey/reminders/stop.html", done=done)
