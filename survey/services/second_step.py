"""The second step of signing in: a passkey or an authenticator app, beside the mailed code.

Whoever has set one up is asked for it; only an administrator or the command line takes it away
from somebody who has lost theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import pyotp
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from survey import sealing
from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import Authenticator, MailKind, Passkey, Person
from survey.services import audit, mails

# One step before and after, for clocks and for typing (RFC 6238, 5.2).
AROUND = (0, -1, 1)
LOCKED_BYTES = 40


class CodeNotRight(Refused):
    """Not what the authenticator app shows now."""

    status = 422
    message = marked("This is not the code that the app shows now. Please try the next one.")


class AppThere(Conflict):
    """There is an authenticator app already."""

    message = marked("An authenticator app is set up already. Remove it first.")


class AppLost(Conflict):
    """The keyring no longer opens the secret of the app."""

    message = marked(
        "Your authenticator app cannot be checked any more, since the keyring of this server was "
        "made anew. An administrator can remove it from your sign-in."
    )


class NothingSetUp(Conflict):
    """There is nothing to take away."""

    message = marked("%(name)s has set up no second step.")


@dataclass(frozen=True)
class Steps:
    """What somebody has set up."""

    passkeys: Sequence[Passkey]
    app: Authenticator | None

    def __bool__(self) -> bool:
        return bool(self.passkeys or self.app)


def of(session: Session, person: Person) -> Steps:
    """Return what a person has set up; an app that was begun only is none."""
    keys = select(Passkey).where(Passkey.person_id == person.id).order_by(Passkey.added_at)
    app = session.get(Authenticator, person.id, populate_existing=True)
    return Steps(session.scalars(keys).all(), app if app and app.confirmed_at else None)


def begin_app(session: Session, keyring: Keyring, person: Person) -> None:
    """Make a secret for an authenticator app, or make it anew. Raises AppThere."""
    app = session.get(Authenticator, person.id)
    if app is None:
        app = Authenticator(person_id=person.id)
        session.add(app)
    elif app.confirmed_at:
        raise AppThere
    secret = pyotp.random_base32().encode()
    app.secret = sealing.lock(_key(keyring), secret, LOCKED_BYTES, person.id.bytes)
    session.flush()


def begun_secret(session: Session, keyring: Keyring, person: Person) -> str:
    """Return the secret for an app that is not confirmed yet. Raises NotFound, AppLost."""
    app = session.get(Authenticator, person.id)
    if app is None or app.confirmed_at:
        raise NotFound
    return _secret(keyring, app)


def confirm_app(
    session: Session, keyring: Keyring, person: Person, code: str, language: str, now: datetime
) -> None:
    """Take the app that shows this code. Raises NotFound, AppLost, CodeNotRight."""
    begun_secret(session, keyring, person)
    if not take_code(session, keyring, person, code, now):
        raise CodeNotRight
    app = session.get_one(Authenticator, person.id, populate_existing=True)
    app.confirmed_at = now
    tell(session, person, marked("authenticator app added"), language, now, person)


def take_code(session: Session, keyring: Keyring, person: Person, code: str, now: datetime) -> bool:
    """Say whether a person's app shows this code; each code is taken once. Raises AppLost.

    The caller counts the tries.
    """
    app = session.get(Authenticator, person.id)
    if app is None:
        return False
    shown, typed = pyotp.TOTP(_secret(keyring, app)), "".join(code.split())
    step = shown.timecode(now)
    for each in (step + more for more in AROUND):
        if hmac.compare_digest(shown.generate_otp(each).encode(), typed.encode()):
            # One statement, so that of two who send it at once only one gets in.
            taken = session.execute(
                update(Authenticator)
                .where(Authenticator.person_id == person.id, Authenticator.last_step < each)
                .values(last_step=each)
                .execution_options(synchronize_session=False)
            )
            return cast(CursorResult[Any], taken).rowcount == 1
    return False


def remove_app(session: Session, person: Person, language: str, now: datetime) -> None:
    """Forget a person's app. Raises NotFound."""
    app = session.get(Authenticator, person.id)
    if app is None:
        raise NotFound
    session.delete(app)
    tell(session, person, marked("authenticator app removed"), language, now, person)


def remove_all(
    session: Session, person: Person, language: str, now: datetime, actor: Person | None = None
) -> None:
    """Take all that a person has set up away: they have lost it, and sign in with a code alone.

    Raises NothingSetUp.
    """
    if not of(session, person):
        raise NothingSetUp(name=person.name)
    session.execute(delete(Passkey).where(Passkey.person_id == person.id))
    session.execute(delete(Authenticator).where(Authenticator.person_id == person.id))
    session.expire_all()
    tell(session, person, marked("second step removed"), language, now, actor)


def tell(
    session: Session,
    person: Person,
    act: str,
    language: str,
    now: datetime,
    actor: Person | None,
) -> None:
    """Note a change of how somebody signs in, sign them out elsewhere, and mail it to them."""
    person.session_key = secrets.token_urlsafe(16)
    audit.record(session, actor, act, person, now)
    key = f"sign_in_changed:{uuid4()}"
    mails.queue(session, MailKind.SIGN_IN_CHANGED, key, person, language, now)


def _secret(keyring: Keyring, app: Authenticator) -> str:
    opened = sealing.unlock(_key(keyring), app.secret, app.person_id.bytes)
    if opened is None:
        raise AppLost
    return opened.decode()


def _key(keyring: Keyring) -> bytes:
    return hashlib.blake2b(key=keyring.secret(), person=b"authenticator", digest_size=32).digest()
