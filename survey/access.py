"""Who may enter where. A view without a rule is closed to everybody.

`allow` says which kind of person a view is for; whether a round or preview is
theirs is asked of the database where it is fetched (`own_round` here,
`coaching.readable_release`), and what is not theirs looks like what is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from flask import Flask, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from survey import db, speech
from survey.errors import NotAllowed, NotFound
from survey.models import Person, Round
from survey.services import rounds
from survey.site import site

Who = Literal["anybody", "signed_in", "leader", "coach", "administrator"]
View = TypeVar("View", bound=Callable[..., Any])
FLAGS: dict[str, str] = {"leader": "leads", "coach": "coaches", "administrator": "administers"}
SIGNED_IN_FOR = timedelta(hours=12)


def allow(who: Who) -> Callable[[View], View]:
    """Open a view to somebody."""

    def mark(view: View) -> View:
        view.allowed = who  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Guard every view."""
    allow("anybody")(app.view_functions["static"])
    app.before_request(_guard)


def _guard() -> Response | None:
    g.person = _signed_in()
    if request.endpoint is None:
        return None
    who = getattr(current_app.view_functions[request.endpoint], "allowed", None)
    if who == "anybody":
        return None
    if who is None:
        raise NotAllowed
    if g.person is None:
        return redirect(url_for("account.sign_in"))
    if who != "signed_in" and not getattr(g.person, FLAGS[who]):
        raise NotAllowed
    return None


def sign_in(person: Person, now: datetime) -> None:
    """Begin a signed-in session; whatever the browser brought along is dropped but its language."""
    language = speech.chosen()
    session.clear()
    if language:
        speech.choose(language)
    session["person"] = str(person.id)
    session["key"] = person.session_key
    session["since"] = int(now.timestamp())


def _signed_in() -> Person | None:
    if "person" not in session:
        return None
    person = db.session().get(Person, UUID(session["person"]))
    since = timedelta(seconds=site().now().timestamp() - session.get("since", 0))
    if (
        person is None
        or not person.may_sign_in()
        or person.session_key != session.get("key")
        or since > SIGNED_IN_FOR
    ):
        session.clear()
        return None
    return person


def person() -> Person:
    """Return who is signed in; only for views that are not open to anybody."""
    return cast(Person, g.person)


def own_round(round_id: UUID) -> Round:
    """Return a round of the signed-in leader. Raises NotFound for anybody else's, and a pulse."""
    round_ = rounds.find(db.session(), round_id)
    if round_.leader_id != person().id or round_.pulse:
        raise NotFound
    return round_
