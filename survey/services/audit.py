"""Keeps the list of what staff did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.models import AuditEntry, Person


def record(session: Session, actor: Person | None, act: str, subject: str, now: datetime) -> None:
    """Note what somebody did, in marked words; no actor: the server or the command line."""
    session.add(AuditEntry(at=now, actor_id=actor.id if actor else None, act=act, subject=subject))
    session.flush()


def latest(session: Session, most: int = 200) -> list[AuditEntry]:
    """Return the latest entries, newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    return list(session.scalars(query))
