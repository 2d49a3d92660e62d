"""Tokens: what a program may do for the person who made one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reports.text import clean_line
from survey.errors import NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import Person, Token
from survey.services import second_step

# Each scope, and the flags of a person who has something to do with it.
SCOPES: dict[str, tuple[str, ...]] = {
    "people:read": ("administers",),
    "people:write": ("administers",),
    "programmes:read": ("administers",),
    "programmes:write": ("administers",),
    "rounds:read": ("administers", "leads"),
    "rounds:write": ("leads",),
    "previews:read": ("leads", "coaches"),
}
# Days until it ends; each that ends unseen is one that nobody has to remember.
LIFETIMES = (30, 90, 365)
MOST = 20
LONGEST_NAME = 60
SECRET_BYTES = 32
# Its beginning is for scanners that look for secrets where none should be.
SHAPE = re.compile(r"p360_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


class TooManyTokens(Refused):
    """Nobody needs so many."""

    status = 422
    message = marked("There are %(most)s tokens already. Remove one first.")


class ScopeMissing(Refused):
    """A token for nothing, or for what its person may not do."""

    status = 422
    message = marked("Choose at least one thing that the token may be used for.")


def offered(person: Person) -> list[str]:
    """Return the scopes that are of use to a person."""
    return [scope for scope in SCOPES if may(person, scope)]


def may(person: Person, scope: str) -> bool:
    """Say whether a person has anything to do with a scope now."""
    return any(getattr(person, flag) for flag in SCOPES[scope])


def of(session: Session, person: Person) -> list[Token]:
    """Return a person's tokens, the latest first."""
    query = select(Token).where(Token.person_id == person.id)
    return list(session.scalars(query.order_by(Token.made_at.desc(), Token.id)))


def make(
    session: Session,
    keyring: Keyring,
    person: Person,
    name: str,
    scopes: Sequence[str],
    days: int,
    language: str,
    now: datetime,
) -> str:
    """Make a token and return it; nobody can read it again. Raises ScopeMissing, TooManyTokens."""
    if not scopes or not set(scopes) <= set(offered(person)):
        raise ScopeMissing
    if len(of(session, person)) >= MOST:
        raise TooManyTokens(most=MOST)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token = Token(
        person_id=person.id,
        name=clean_line(name)[:LONGEST_NAME],
        scopes=" ".join(scopes),
        digest=_digest(keyring, secret),
        made_at=now,
        ends_at=now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    second_step.tell(session, person, marked("token added"), language, now, person)
    return f"p360_{token.id.hex}_{secret}"


def remove(session: Session, person: Person, token_id: UUID, language: str, now: datetime) -> None:
    """End one of a person's tokens. Raises NotFound."""
    token = session.get(Token, token_id)
    if token is None or token.person_id != person.id:
        raise NotFound
    session.delete(token)
    second_step.tell(session, person, marked("token removed"), language, now, person)


def find(session: Session, keyring: Keyring, shown: str, now: datetime) -> Token | None:
    """Return the token that is shown, if it has not ended and its person may sign in."""
    shape = SHAPE.fullmatch(shown)
    token = session.get(Token, UUID(hex=shape[1])) if shape else None
    if shape is None or token is None:
        return None
    fits = hmac.compare_digest(token.digest, _digest(keyring, shape[2]))
    return token if fits and now < token.ends_at and token.person.may_sign_in() else None


def _digest(keyring: Keyring, secret: str) -> bytes:
    return hashlib.blake2b(
        secret.encode(), key=keyring.secret(), person=b"token", digest_size=32
    ).digest()
