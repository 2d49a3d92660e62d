"""Coaches: who may read whose previews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, false, or_, select, update
from sqlalchemy.orm import Session

from reports.release import TeamRelease
from survey.errors import Conflict, NotFound, Refused, marked
from survey.models import CoachAccess, MailKind, Person, Release, Round, StoredQuestionnaire
from survey.services import audit, mails, questionnaires, rounds, teams
from survey.services.rounds import NoLeader

# Rounds that end within the same week are no earlier and later one.
FOLLOWS_AFTER = timedelta(days=7)
# A leader does not wait for ever for a coach to open the conversation.
PATIENCE_FOR_COACH = timedelta(days=14)
LONGEST_NOTES = 10_000


class CoachFirst(Conflict):
    """The preview is there, but a coach is to open the conversation."""

    message = marked(
        "Your preview is there. You chose that your coach opens the conversation first; after two "
        "weeks it opens by itself."
    )


class NotesTooLong(Refused):
    """Notes that would fill a book."""

    status = 422
    message = marked("Notes have at most %(most)s characters.")


@dataclass(frozen=True)
class Shelf:
    """One leader on a coach's shelf, their rounds, and the coach's own notes."""

    leader: Person
    rounds: tuple[Round, ...]
    notes: str
    waiting: frozenset[UUID]


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
    audit.record(session, actor, marked("coach given access"), coach, now)


def take_access_back(
    session: Session, leader: Person, coach_id: UUID, now: datetime, actor: Person | None = None
) -> None:
    """End a coach's access at once; where there is none, nothing changes."""
    access = session.get(CoachAccess, (leader.id, coach_id))
    if access is None:
        return
    coach = access.coach
    session.execute(
        delete(CoachAccess).where(
            CoachAccess.leader_id == leader.id, CoachAccess.coach_id == coach_id
        )
    )
    audit.record(session, actor, marked("coach's access taken back"), coach, now)


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
        select(CoachAccess)
        .join(Person, Person.id == CoachAccess.leader_id)
        .where(CoachAccess.coach_id == coach.id)
        .order_by(Person.name)
    )
    return [
        Shelf(
            each.leader,
            tuple(rounds.of_leader(session, each.leader)),
            each.notes,
            waiting(session, each.leader),
        )
        for each in session.scalars(query)
    ]


def waiting(session: Session, leader: Person) -> frozenset[UUID]:
    """Return a leader's rounds whose previews wait for a coach to open the conversation."""
    return frozenset(
        release.round_id
        for release in releases_of(session, leader)
        if waits_for_coach(session, release)
    )


def releases_of(session: Session, leader: Person) -> list[Release]:
    """Return a leader's releases, the latest first."""
    query = select(Release).join(Round).where(Round.leader_id == leader.id)
    return list(session.scalars(query.order_by(Round.closes_at.desc())))


def release_before(session: Session, release: Release) -> Release | None:
    """Return the leader's last release with the same questionnaire a week or more earlier.

    One that a coach is to open first is not compared with before that.
    """
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
    )
    earlier = (each for each in session.scalars(query) if not waits_for_coach(session, each))
    return next(earlier, None)


def readable_release(session: Session, reader: Person, round_id: UUID) -> Release:
    """Return a release for its leader, or for a coach who has access.

    Raises NotFound for everybody else, CoachFirst for a leader whose coach is to come first.
    """
    release = session.get(Release, round_id)
    if release is None:
        raise NotFound
    leader = release.round.leader
    is_leader = reader.id == leader.id and reader.leads
    is_coach = reader.coaches and session.get(CoachAccess, (leader.id, reader.id)) is not None
    if not (is_leader or is_coach):
        raise NotFound
    if is_leader and waits_for_coach(session, release):
        raise CoachFirst
    return release


def readable_releases(session: Session, reader: Person) -> list[Release]:
    """Return the releases that somebody may read now, the latest first."""
    given = select(CoachAccess.leader_id).where(CoachAccess.coach_id == reader.id)
    own = [Round.leader_id == reader.id] if reader.leads else []
    others = [Round.leader_id.in_(given)] if reader.coaches else []
    query = select(Release).join(Round).where(or_(false(), *own, *others))
    query = query.order_by(Release.released_on.desc(), Release.round_id)
    return [
        each
        for each in session.scalars(query)
        if each.round.leader_id != reader.id or not waits_for_coach(session, each)
    ]


def waits_for_coach(session: Session, release: Release) -> bool:
    """Say whether the leader is to hear of a preview from a coach first; without one, never."""
    return (
        release.round.coach_first
        and release.handed_over_at is None
        and bool(_present_coaches(session, release.round.leader))
    )


def _present_coaches(session: Session, leader: Person) -> list[Person]:
    """Return the coaches who can sign in and read."""
    return [each for each in coaches_of(session, leader) if each.active and each.coaches]


def announce(session: Session, release: Release, now: datetime) -> None:
    """Tell the leader that a preview is there; or the coaches, where one of them comes first."""
    if not waits_for_coach(session, release):
        _hand_over(session, release, now)
        return
    round_ = release.round
    for coach in _present_coaches(session, round_.leader):
        key = f"coach_first:{round_.id}:{coach.id}"
        mails.queue(session, MailKind.COACH_FIRST, key, coach, round_.language, now, round_=round_)


def open_conversation(session: Session, coach: Person, round_id: UUID, now: datetime) -> None:
    """Let the leader read a preview, as the coach who has opened the conversation; once.

    Raises NotFound.
    """
    release = session.get(Release, round_id)
    if release is None:
        raise NotFound
    access_to(session, coach, release.round.leader_id)
    if _hand_over(session, release, now):
        audit.record(session, coach, marked("conversation opened"), release.round, now)


def hand_over_overdue(session: Session, now: datetime) -> None:
    """Let leaders read what no coach has opened for two weeks."""
    query = select(Release).where(
        Release.handed_over_at.is_(None),
        Release.released_on <= (now - PATIENCE_FOR_COACH).date(),
    )
    for release in session.scalars(query).all():
        _hand_over(session, release, now)


def _hand_over(session: Session, release: Release, now: datetime) -> bool:
    """Tell the leader, once, whoever comes first; return whether it was this call."""
    claimed = session.execute(
        update(Release)
        .where(Release.round_id == release.round_id, Release.handed_over_at.is_(None))
        .values(handed_over_at=now)
        .returning(Release.round_id)
    )
    if claimed.scalar_one_or_none() is None:
        return False
    round_ = release.round
    key = f"released:{round_.id}"
    mails.queue(session, MailKind.RELEASED, key, round_.leader, round_.language, now, round_=round_)
    return True


def access_to(session: Session, coach: Person, leader_id: UUID) -> CoachAccess:
    """Return a coach's access to a leader's previews. Raises NotFound where there is none."""
    access = session.get(CoachAccess, (leader_id, coach.id))
    if access is None or not coach.coaches:
        raise NotFound
    return access


def write_notes(session: Session, coach: Person, leader_id: UUID, notes: str) -> None:
    """Keep a coach's notes on a leader, in place of those before. Raises NotFound, NotesTooLong."""
    access = access_to(session, coach, leader_id)
    if len(notes) > LONGEST_NOTES:
        raise NotesTooLong(most=LONGEST_NOTES)
    access.notes = notes
    session.flush()


@dataclass(frozen=True)
class Group:
    """A coach's leaders together: what is seen of all of them, and the questionnaire behind."""

    release: TeamRelease
    questionnaire: StoredQuestionnaire


def group(session: Session, coach: Person, name: str, language: str) -> Group:
    """Put the latest previews of a coach's leaders together, as far as they were asked alike.

    The coach may read each of them, so nothing new is told; it is kept nowhere. Raises
    NotTogether for fewer than four leaders.
    """
    found: dict[UUID, list[Release]] = {}
    for entry in shelf(session, coach):
        latest = releases_of(session, entry.leader)[:1]
        for release in latest:
            found.setdefault(release.round.questionnaire_id, []).append(release)
    chosen = max(found.values(), key=len, default=[])
    if chosen and language not in questionnaires.read(chosen[0].round.questionnaire).texts:
        language = chosen[0].round.language
    return Group(teams.together_of(name, chosen, language), chosen[0].round.questionnaire)
