"""Keeps the list of what staff did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.models import AuditEntry, Person, Round


def record(
    session: Session, actor: Person | None, act: str, about: Person | Round | str, now: datetime
) -> None:
    """Note what somebody did, in marked words; no actor: the server or the command line.

    A person is named by their address, a round by its leader's and the beginning of its id.
    """
    person, subject = None, about
    if isinstance(about, Round):
        person, subject = about.leader, f"{about.leader.email} {str(about.id)[:8]}"
    elif isinstance(about, Person):
        person, subject = about, about.email
    entry = AuditEntry(
        at=now,
        actor_id=actor.id if actor else None,
        act=act,
        subject=subject,
        about_id=person.id if person else None,
    )
    session.add(entry)
    session.flush()


def forget(session: Session, person: Person, name: str) -> None:
    """Call a person by another name in every entry about them, and in those of their own acts."""
    about = update(AuditEntry).where(AuditEntry.about_id == person.id)
    session.execute(about.values(subject=name, about_id=None))
    own = update(AuditEntry).where(AuditEntry.actor_id == person.id)
    session.execute(own.values(actor_id=None, actor_erased=True))


def latest(session: Session, most: int = 200) -> list[AuditEntry]:
    """Return the latest entries, newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    return list(session.scalars(query))
