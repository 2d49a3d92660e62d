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
from survey.errors import NotAllowed, NotFound, marked
from survey.models import Person, Round
from survey.services import rounds
from survey.site import site

Who = Literal["anybody", "signed_in", "leader", "coach", "administrator"]
View = TypeVar("View", bound=Callable[..., Any])
FLAGS: dict[str, str] = {"leader": "leads", "coach": "coaches", "administrator": "administers"}
SIGNED_IN_FOR = timedelta(hours=12)
# Between the code from the mail and the second step.
WAITING_FOR = timedelta(minutes=10)
# How long after signing in one may change how one signs in.
FRESH_FOR = timedelta(minutes=15)
# Where one sets up what is missing.
SECOND_STEP = "second_step"


class SignInFirst(NotAllowed):
    """Somebody may sit at a browser that was left open."""

    message = marked("To change this, sign out, sign in again, and come back within 15 minutes.")


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
    if lacks_second_step(g.person) and request.blueprint != SECOND_STEP:
        return redirect(url_for("second_step.show"))
    return None


def sign_in(person: Person, now: datetime, *, second_step: bool) -> None:
    """Begin a signed-in session; whatever the browser brought along is dropped but its language.

    `second_step`: it was taken, or the organisation's own sign-in stands for it.
    """
    _begin("person", person, now)
    renew(person, second_step=second_step)


def await_second_step(person: Person, now: datetime) -> None:
    """Note in the cookie who has sent the right code by mail, and is not signed in yet."""
    _begin("waiting", person, now)


def waiting() -> Person | None:
    """Return who is to take the second step in this browser."""
    return _named("waiting", WAITING_FOR)


def renew(person: Person, *, second_step: bool | None = None) -> None:
    """Keep this browser signed in after its person's key has changed."""
    session["key"] = person.session_key
    if second_step is not None:
        session["second_step"] = second_step


def is_fresh() -> bool:
    """Say whether this browser was signed in so lately that its person sits there."""
    return _since() <= FRESH_FOR


def must_be_fresh() -> None:
    """Raise SignInFirst where somebody has been signed in for a while."""
    if not is_fresh():
        raise SignInFirst


def lacks_second_step(person: Person) -> bool:
    """Say whether somebody who is signed in has to set up a second step first."""
    whose = site().settings.second_step
    needed = whose == "everybody" or (whose == "administrators" and person.administers)
    return needed and not session.get("second_step")


def _begin(name: str, person: Person, now: datetime) -> None:
    language = speech.chosen()
    session.clear()
    if language:
        speech.choose(language)
    session[name] = str(person.id)
    session["key"] = person.session_key
    session["since"] = int(now.timestamp())


def _signed_in() -> Person | None:
    if "person" not in session:
        return None
    person = _named("person", SIGNED_IN_FOR)
    if person is None:
        session.clear()
    return person


def _named(name: str, longest: timedelta) -> Person | None:
    """Return whom this browser's cookie names, if that is still true."""
    if name not in session:
        return None
    person = db.session().get(Person, UUID(session[name]))
    if (
        person is None
        or not person.may_sign_in()
        or person.session_key != session.get("key")
        or _since() > longest
    ):
        return None
    return person


def _since() -> timedelta:
    return timedelta(seconds=site().now().timestamp() - session.get("since", 0))


def person() -> Person:
    """Return who is signed in; only for views that are not open to anybody."""
    return cast(Person, g.person)


def own_round(round_id: UUID) -> Round:
    """Return a round of the signed-in leader. Raises NotFound for anybody else's, and a pulse."""
    round_ = rounds.find(db.session(), round_id)
    if round_.leader_id != person().id or round_.pulse:
        raise NotFound
    return round_
