"""Coaches: who may read whose previews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey.errors import NotFound, marked
from survey.models import CoachAccess, MailKind, Person, Release, Round, StoredQuestionnaire
from survey.services import audit, mails, rounds
from survey.services.rounds import NoLeader

# Rounds that end within the same week are no earlier and later one.
FOLLOWS_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Shelf:
    """One leader on a coach's shelf, and their rounds."""

    leader: Person
    rounds: tuple[Round, ...]


def give_access(
    session: Session,
    leader: Person,
    coach_id: UUID,
    language: str,
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Let a coach read the leader's previews; twice is once.

    Raises NotFound for no coach, NoLeader.
    """
    if not leader.leads:
        raise NoLeader(name=leader.name)
    coach = session.get(Person, coach_id)
    if coach is None or not (coach.coaches and coach.active) or coach.id == leader.id:
        raise NotFound
    if session.get(CoachAccess, (leader.id, coach.id)) is not None:
        return
    session.add(CoachAccess(leader_id=leader.id, coach_id=coach.id))
    key = f"coach_access:{leader.id}:{coach.id}:{now.isoformat()}"
    mails.queue(session, MailKind.COACH_ACCESS, key, coach, language, now)
    audit.record(session, actor, marked("coach given access"), coach.email, now)


def take_access_back(
    session: Session, leader: Person, coach_id: UUID, now: datetime, actor: Person | None = None
) -> None:
    """End a coach's access at once; where there is none, nothing changes."""
    access = session.get(CoachAccess, (leader.id, coach_id))
    if access is None:
        return
    email = access.coach.email
    session.execute(
        delete(CoachAccess).where(
            CoachAccess.leader_id == leader.id, CoachAccess.coach_id == coach_id
        )
    )
    audit.record(session, actor, marked("coach's access taken back"), email, now)


def coaches_of(session: Session, leader: Person) -> list[Person]:
    """Return the coaches who may read a leader's previews."""
    query = (
        select(Person)
        .join(CoachAccess, CoachAccess.coach_id == Person.id)
        .where(CoachAccess.leader_id == leader.id)
        .order_by(Person.name)
    )
    return list(session.scalars(query))


def shelf(session: Session, coach: Person) -> list[Shelf]:
    """Return the leaders who gave a coach access, with their rounds, latest first."""
    query = (
        select(Person)
        .join(CoachAccess, CoachAccess.leader_id == Person.id)
        .where(CoachAccess.coach_id == coach.id)
        .order_by(Person.name)
    )
    return [
        Shelf(leader, tuple(rounds.of_leader(session, leader))) for leader in session.scalars(query)
    ]


def releases_of(session: Session, leader: Person) -> list[Release]:
    """Return a leader's releases, the latest first."""
    query = select(Release).join(Round).where(Round.leader_id == leader.id)
    return list(session.scalars(query.order_by(Round.closes_at.desc())))


def release_before(session: Session, release: Release) -> Release | None:
    """Return the leader's last release with the same questionnaire a week or more earlier."""
    round_ = release.round
    query = (
        select(Release)
        .join(Round)
        .join(StoredQuestionnaire)
        .where(
            Round.leader_id == round_.leader_id,
            StoredQuestionnaire.name == round_.questionnaire.name,
            Round.closes_at < round_.closes_at - FOLLOWS_AFTER,
        )
        .order_by(Round.closes_at.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def readable_release(session: Session, reader: Person, round_id: UUID) -> Release:
    """Return a release for its leader, or for a coach who has access. Raises NotFound otherwise."""
    release = session.get(Release, round_id)
    if release is None:
        raise NotFound
    leader_id = release.round.leader_id
    is_leader = reader.id == leader_id and reader.leads
    is_coach = reader.coaches and session.get(CoachAccess, (leader_id, reader.id)) is not None
    if not (is_leader or is_coach):
        raise NotFound
    return release
