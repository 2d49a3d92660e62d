"""Trustees: somebody outside the server's administration without whom nothing is opened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.errors import marked
from survey.keyring import Keyring, KeyringUnusable
from survey.models import Mail, MailKind, Person, Round, Trustee
from survey.services import audit, mails

TRUSTEE = "trustee"


def current(session: Session, keyring: Keyring) -> Trustee | None:
    """Return whose key rounds are sealed to that open now. Raises KeyringUnusable."""
    trustee = session.scalar(select(Trustee).where(Trustee.retired_on.is_(None)))
    if trustee is None:
        return None
    named = _named(trustee.id, trustee.person_id, trustee.public)
    if not keyring.has_signed(trustee.signature, named, TRUSTEE):
        raise KeyringUnusable(reason="the trustee's key in the database was not added here")
    return trustee


def appoint(
    session: Session,
    keyring: Keyring,
    person: Person,
    public: bytes,
    now: datetime,
    actor: Person | None = None,
) -> Trustee:
    """Seal rounds that open from now on to this person's key, too; any former trustee retires.

    Raises OtherSide on the web side, KeyringUnusable.
    """
    retire(session, now)
    trustee_id = uuid4()
    trustee = Trustee(
        id=trustee_id,
        person_id=person.id,
        public=public,
        signature=keyring.sign(_named(trustee_id, person.id, public), TRUSTEE),
    )
    session.add(trustee)
    session.flush()
    audit.record(session, actor, marked("trustee appointed"), person, now)
    return trustee


def retire(session: Session, now: datetime, actor: Person | None = None) -> None:
    """Seal rounds that open from now on to no trustee; open rounds keep theirs."""
    retired = session.execute(
        update(Trustee)
        .where(Trustee.retired_on.is_(None))
        .values(retired_on=now.date())
        .returning(Trustee.person_id)
    ).scalars()
    for person_id in retired.all():
        person = session.get_one(Person, person_id)
        audit.record(session, actor, marked("trustee retired"), person, now)


def ask(session: Session, round_: Round, now: datetime) -> None:
    """Ask a round's trustee by mail to open it, once for each closing day. The caller commits."""
    key = f"trustee:{round_.id}:{round_.closes_at.isoformat()}"
    if round_.trustee is None or session.scalar(select(Mail.id).where(Mail.key == key)):
        return
    mails.queue(
        session,
        MailKind.TRUSTEE_NEEDED,
        key,
        round_.trustee.person,
        round_.language,
        now,
        round_=round_,
    )


def every(session: Session) -> list[Trustee]:
    """Return all trustees, the present one first."""
    return list(session.scalars(select(Trustee).order_by(Trustee.retired_on.desc().nulls_first())))


def _named(trustee_id: UUID, person_id: UUID, public: bytes) -> bytes:
    return trustee_id.bytes + person_id.bytes + public
