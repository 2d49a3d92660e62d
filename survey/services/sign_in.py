"""Signing in with a mailed code: six digits, ten minutes, five tries, one browser, used once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, update
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


def known(session: Session, address: str) -> Person | None:
    """Return who may sign in with an address, if anybody."""
    try:
        person = people.by_address(session, clean_address(address))
    except AddressInvalid:
        return None
    return person if person is not None and person.may_sign_in() else None


@dataclass(frozen=True)
class Taken:
    """What a browser was expected to send back has come; for whom, if that is known already."""

    person_id: UUID | None


def new_browser() -> str:
    """Return what a browser keeps from asking for a code until it sends the code back."""
    return secrets.token_urlsafe(16)


def request_code(
    session: Session, keyring: Keyring, browser: str, address: str, language: str, now: datetime
) -> None:
    """Mail a new code to whoever has this address and may sign in.

    It works only in the browser that asked, so that nobody else can use up its tries. For
    anybody else all is done alike, with a code for nobody and without a mail: neither the
    answer nor the time it takes is to tell. The caller must answer alike, too.
    """
    person = known(session, address)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    expect(session, keyring, browser, code, person, now)
    sealed = sealing.seal(keyring.mail_pair().public, code.encode(), CODE)
    if person is not None:
        key = f"sign_in:{uuid4()}"
        mails.queue(session, MailKind.SIGN_IN, key, person, language, now, sealed=sealed)


def verify(
    session: Session, keyring: Keyring, browser: str, code: str, now: datetime
) -> Person | None:
    """Return who signs in with this code, or None; a right code is used up, a wrong one counted.

    Commit in both cases.
    """
    taken = take(session, keyring, browser, "".join(code.split()), now)
    person = session.get(Person, taken.person_id) if taken and taken.person_id else None
    return person if person is not None and person.may_sign_in() else None


def expect(
    session: Session,
    keyring: Keyring,
    browser: str,
    secret: str,
    person: Person | None,
    now: datetime,
) -> None:
    """Wait for a browser to send this back within ten minutes, and for nothing else any more."""
    asked = _digest(keyring, browser)
    session.execute(
        delete(SignInCode).where(or_(SignInCode.expires_at <= now, SignInCode.browser == asked))
    )
    stored = SignInCode(
        browser=asked,
        person_id=person.id if person else None,
        digest=_digest(keyring, browser, secret),
        expires_at=now + LIFETIME,
        attempts_left=ATTEMPTS,
    )
    session.add(stored)
    session.flush()


def take(
    session: Session, keyring: Keyring, browser: str, secret: str, now: datetime
) -> Taken | None:
    """Return for whom a browser sends what it was expected to, which is used up; or None."""
    asked = _digest(keyring, browser)
    # One statement takes the try, so that a thousand guesses at once are still five.
    taken = session.execute(
        update(SignInCode)
        .where(
            SignInCode.browser == asked,
            SignInCode.attempts_left > 0,
            SignInCode.expires_at > now,
        )
        .values(attempts_left=SignInCode.attempts_left - 1)
        .returning(SignInCode.person_id, SignInCode.digest)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    given = _digest(keyring, browser, secret)
    if taken is None or not hmac.compare_digest(taken.digest, given):
        return None
    session.execute(delete(SignInCode).where(SignInCode.browser == asked))
    return Taken(taken.person_id)


def sign_out(session: Session, person: Person) -> None:
    """Sign a person out everywhere, also where somebody copied their cookie."""
    person.session_key = secrets.token_urlsafe(16)
    session.flush()


def _digest(keyring: Keyring, *secret: str) -> bytes:
    content = " ".join(secret).encode()
    return hashlib.blake2b(
        content, key=keyring.secret(), person=b"sign-in", digest_size=32
    ).digest()
