"""People: adding, changing and finding them."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import MailKind, Person, SignInCode
from survey.services import approvals, audit, invitations, mails
from survey.services.pieces import Piece, holding, piece

ROLES = {"leader": "leads", "coach": "coaches", "administrator": "administers"}
LONGEST_NAME = 100
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class AddressInvalid(Refused):
    """Not one plain address."""

    status = 422
    message = marked("“%(address)s” is not a mail address such as ada@example.org.")


class NameInvalid(Refused):
    """A name that is empty, too long, or holds what no name holds."""

    status = 422
    message = marked("A name is needed, of at most %(most)s letters and in one line.")


class RoleUnknown(Refused):
    """A word that is no role."""

    status = 422
    message = marked("%(role)s is no role; known: %(known)s")


class AddressTaken(Conflict):
    """Somebody has this address already."""

    status = 422
    message = marked("%(name)s has the address %(address)s already.")


def clean_address(address: str) -> str:
    """Return one address in its normal form. Raises AddressInvalid for none or several."""
    try:
        checked = validate_email(address.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise AddressInvalid(address=address[:80]) from None
    # A domain in its ASCII form, which every mail server understands.
    return (checked.ascii_email or checked.normalized).lower()


def clean_name(name: str) -> str:
    """Return a name in one line, letters and their marks composed. Raises NameInvalid."""
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(clean) <= LONGEST_NAME or any(_is_control(letter) for letter in clean):
        raise NameInvalid(most=LONGEST_NAME)
    return clean


def _is_control(letter: str) -> bool:
    """Say whether a letter is none: line ends, control and unassigned codes, bidi overrides."""
    return (
        unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
        or unicodedata.bidirectional(letter) in BIDI_CONTROLS
    )


def add(
    session: Session,
    name: str,
    address: str,
    roles: Collection[str],
    now: datetime,
    actor: Person | None = None,
) -> Person:
    """Add a person. Raises AddressInvalid, AddressTaken, NameInvalid."""
    email = clean_address(address)
    if (taken := by_address(session, email)) is not None:
        raise AddressTaken(name=taken.name, address=email)
    person = Person(name=clean_name(name), email=email)
    give_roles(person, roles)
    session.add(person)
    session.flush()
    audit.record(session, actor, marked("person added"), person, now)
    return person


@dataclass(frozen=True)
class Entry:
    """What is known of a person, as it was typed."""

    name: str
    address: str
    roles: Collection[str]
    active: bool = True


def change(
    session: Session,
    keyring: Keyring,
    person: Person,
    entry: Entry,
    language: str,
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Change a person; other rights or another address sign them out everywhere.

    A new address gets new links and the old ones open nothing; the old address is told,
    in `language`. Raises AddressInvalid, AddressTaken, NameInvalid, KeyringUnusable.
    """
    before = person.email
    update(session, person, entry, now, actor)
    if person.email == before:
        return
    session.execute(delete(SignInCode).where(SignInCode.person_id == person.id))
    mails.redirect(session, person)
    invitations.renew(session, keyring, person, before, now)
    approvals.renew(session, person, now)
    key = f"address_changed:{uuid4()}"
    mails.queue(session, MailKind.ADDRESS_CHANGED, key, person, language, now, address=before)


def update(
    session: Session, person: Person, entry: Entry, now: datetime, actor: Person | None = None
) -> None:
    """Change what is known of a person, without telling anybody; for that see `change`.

    Raises AddressInvalid, AddressTaken, NameInvalid.
    """
    email = clean_address(entry.address)
    taken = by_address(session, email)
    if taken is not None and taken.id != person.id:
        raise AddressTaken(name=taken.name, address=email)
    before = (person.email, person.active, roles_of(person))
    person.name, person.email, person.active = clean_name(entry.name), email, entry.active
    give_roles(person, entry.roles)
    if before != (person.email, person.active, roles_of(person)):
        person.session_key = secrets.token_urlsafe(16)
    session.flush()
    audit.record(session, actor, marked("person changed"), person, now)


def give_roles(person: Person, roles: Collection[str]) -> None:
    """Give a person exactly these roles."""
    for role, flag in ROLES.items():
        setattr(person, flag, role in roles)


def roles_of(person: Person) -> list[str]:
    """Return a person's roles."""
    return [role for role, flag in ROLES.items() if getattr(person, flag)]


def by_address(session: Session, email: str) -> Person | None:
    """Return who has a (clean) address."""
    return session.scalar(select(Person).where(Person.email == email))


def find(session: Session, person_id: UUID) -> Person:
    """Return a person. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound
    return person


def everybody(session: Session) -> list[Person]:
    """Return all people by name."""
    return list(session.scalars(_by_name()))


def some(session: Session, number: int, words: str = "") -> Piece[Person]:
    """Return one piece of all people by name, or of those with these words in name or address."""
    query = _by_name()
    if words:
        query = query.where(holding(words, Person.name, Person.email))
    return piece(session.scalars, query, number)


def _by_name() -> Select[Any]:
    return select(Person).order_by(Person.name, Person.email)


def coaches(session: Session) -> list[Person]:
    """Return the people whom leaders may choose as coaches."""
    query = select(Person).where(Person.coaches, Person.active).order_by(Person.name)
    return list(session.scalars(query))
