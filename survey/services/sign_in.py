"""Signing in with a mailed code: six digits, ten minutes, five tries, used once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.orm import Session

from survey import sealing
from survey.keyring import Keyring
from survey.models import MailKind, Person, SignInCode
from survey.services import mails, people
from survey.services.people import AddressInvalid, clean_address

DIGITS = 6
LIFETIME = timedelta(minutes=10)
ATTEMPTS = 5
CODE = "sign-in code"


def request_code(
    session: Session, keyring: Keyring, address: str, language: str, now: datetime
) -> None:
    """Mail a new code to whoever has this address and may sign in; otherwise do nothing.

    The caller must answer alike in both cases.
    """
    person = _who(session, address)
    if person is None:
        return
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    stored = session.get(SignInCode, person.id, with_for_update=True)
    if stored is None:
        stored = SignInCode(person_id=person.id)
        session.add(stored)
    stored.digest = _digest(keyring, person, code)
    stored.expires_at, stored.attempts_left = now + LIFETIME, ATTEMPTS
    session.flush()
    mails.queue(
        session,
        MailKind.SIGN_IN,
        f"sign_in:{uuid4()}",
        person,
        language,
        now,
        sealed=sealing.seal(keyring.mail_pair().public, code.encode(), CODE),
    )


def verify(
    session: Session, keyring: Keyring, address: str, code: str, now: datetime
) -> Person | None:
    """Return who signs in with this code, or None; a right code is used up, a wrong one counted.

    Commit in both cases.
    """
    person = _who(session, address)
    if person is None:
        return None
    # One statement takes the try, so that a thousand guesses at once are still five.
    taken = session.execute(
        update(SignInCode)
        .where(
            SignInCode.person_id == person.id,
            SignInCode.attempts_left > 0,
            SignInCode.expires_at > now,
        )
        .values(attempts_left=SignInCode.attempts_left - 1)
        .returning(SignInCode.digest)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    given = _digest(keyring, person, "".join(code.split()))
    if taken is None or not hmac.compare_digest(taken, given):
        return None
    used = session.get(SignInCode, person.id)
    session.delete(used)
    session.flush()
    return person


def sign_out(session: Session, person: Person) -> None:
    """Sign a person out everywhere, also where somebody copied their cookie."""
    person.session_key = secrets.token_urlsafe(16)
    session.flush()


def _who(session: Session, address: str) -> Person | None:
    try:
        person = people.by_address(session, clean_address(address))
    except AddressInvalid:
        return None
    return person if person is not None and person.may_sign_in() else None


def _digest(keyring: Keyring, person: Person, code: str) -> bytes:
    content = f"{person.id} {code}".encode()
    return hashlib.blake2b(
        content, key=keyring.secret(), person=b"sign-in", digest_size=32
    ).digest()
