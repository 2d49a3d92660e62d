"""Retention: what is kept until when, and what goes with a person who is erased.

Nothing of an open round ever goes: its raters were promised a close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, union, update
from sqlalchemy.orm import Session, aliased, joinedload

from survey.errors import Conflict, Refused, marked
from survey.models import (
    ENDED,
    AuditEntry,
    BallotKey,
    CoachAccess,
    Mail,
    MailState,
    Nomination,
    Person,
    Proposal,
    Pulse,
    Release,
    Round,
    RoundState,
    Team,
    TeamMember,
    Trustee,
)
from survey.services import audit

# Nothing was kept so long ago.
NEVER = datetime(1, 1, 1, tzinfo=UTC)


STILL_IN_FILES = marked(
    "Somebody was reading meanwhile, so traces are still in the database's files; the server "
    "removes them within a day."
)


class NotErasable(Conflict):
    """Something would break if this person went now."""

    message = marked("%(name)s cannot be erased yet: %(reasons)s")

    def __init__(self, person: Person, reasons: Sequence[Refused]) -> None:
        super().__init__(name=person.name, reasons="; ".join(str(each) for each in reasons))


@dataclass(frozen=True)
class Keep:
    """For how many days previews and records are kept; 0: until somebody erases them."""

    previews: int
    records: int

    def previews_until(self, day: date) -> date:
        """Return the last day of releases that go on `day`."""
        return day - timedelta(days=self.previews) if self.previews else NEVER.date()

    def records_until(self, moment: datetime) -> datetime:
        """Return the moment up to which records go."""
        return moment - timedelta(days=self.records) if self.records else NEVER


@dataclass(frozen=True)
class Going:
    """What goes: previews with the team reports they are in, and how many records of each kind.

    `rosters` are ended rounds of which nobody will know any more who was asked.
    """

    releases: tuple[Release, ...] = ()
    teams: tuple[Team, ...] = ()
    void: int = 0
    rosters: int = 0
    mails: int = 0
    entries: int = 0

    def __bool__(self) -> bool:
        return any((self.releases, self.void, self.rosters, self.mails, self.entries))


def going(session: Session, keep: Keep, now: datetime) -> Going:
    """Return what would go at a moment, if nothing went before."""
    releases = _old_releases(session, keep, now)
    return Going(
        releases=tuple(releases),
        teams=tuple(_teams_of(session, [each.round_id for each in releases])),
        void=_count(session, select(Round.id).where(*_old_void(keep, now))),
        rosters=_count(session, select(Round.id).where(*_old_rosters(keep, now)).distinct()),
        mails=_count(session, select(Mail.id).where(*_old_mails(keep, now))),
        entries=_count(session, select(AuditEntry.id).where(*_old_entries(keep, now))),
    )


def tidy(session: Session, keep: Keep, now: datetime) -> bool:
    """Delete what has been kept long enough; return whether there was any. The caller commits."""
    found = going(session, keep, now)
    if not found:
        return False
    _forget_rounds(session, [each.round_id for each in found.releases])
    _forget_rounds(session, session.scalars(select(Round.id).where(*_old_void(keep, now))).all())
    rosters = session.scalars(select(Round.id).where(*_old_rosters(keep, now))).all()
    session.execute(delete(Nomination).where(Nomination.round_id.in_(rosters)))
    session.execute(delete(Proposal).where(Proposal.round_id.in_(rosters)))
    session.execute(delete(Mail).where(*_old_mails(keep, now)))
    session.execute(delete(AuditEntry).where(*_old_entries(keep, now)))
    session.expire_all()
    return True


def _old_releases(session: Session, keep: Keep, now: datetime) -> list[Release]:
    last = keep.previews_until(now.date())
    query = (
        select(Release)
        .options(joinedload(Release.round).joinedload(Round.leader))
        .where(Release.released_on <= last, ~_has_open_pulse(Release.round_id))
        .order_by(Release.released_on)
    )
    return list(session.scalars(query))


def _old_void(keep: Keep, now: datetime) -> list[ColumnElement[bool]]:
    return [
        Round.state == RoundState.VOID,
        Round.closes_at <= keep.records_until(now),
        Round.is_whole(),
        ~_keys_left(),
    ]


def _old_rosters(keep: Keep, now: datetime) -> list[ColumnElement[bool]]:
    """Return which ended rounds are so old that who was asked goes; pulses may still ask them."""
    return [
        # Said like this it is looked up by day: nearly all rounds have ended.
        Round.state.not_in([state for state in RoundState if state not in ENDED]),
        Round.closes_at <= keep.records_until(now),
        Round.nominations.any(),
        ~_has_open_pulse(Round.id),
    ]


def _old_mails(keep: Keep, now: datetime) -> list[ColumnElement[bool]]:
    unsent = (MailState.WAITING, MailState.SENDING)
    open_rounds = select(Round.id).where(Round.state == RoundState.OPEN)
    return [
        Mail.due_at <= keep.records_until(now),
        Mail.state.not_in(unsent),
        or_(Mail.round_id.is_(None), Mail.round_id.not_in(open_rounds)),
    ]


def _old_entries(keep: Keep, now: datetime) -> list[ColumnElement[bool]]:
    return [AuditEntry.at <= keep.records_until(now)]


def _has_open_pulse(round_id: object) -> ColumnElement[bool]:
    """Say whether a round has a pulse that collects or is still to come."""
    # By another name, since the round that is asked about stands in the same query.
    pulsing = aliased(Round)
    query = select(Pulse.round_id).join(pulsing, pulsing.id == Pulse.round_id)
    return query.where(Pulse.plan_id == round_id, pulsing.state.not_in(ENDED)).exists()


def _keys_left() -> ColumnElement[bool]:
    """Say whether keys of an ended round are still to be destroyed."""
    return select(BallotKey.id).where(BallotKey.round_id == Round.id).exists()


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalars(select(func.count()).select_from(query.subquery())).one()


def _teams_of(session: Session, round_ids: Sequence[UUID]) -> list[Team]:
    query = select(Team).join(TeamMember).where(TeamMember.round_id.in_(round_ids)).distinct()
    return list(session.scalars(query))


def _forget_rounds(session: Session, round_ids: Sequence[UUID]) -> None:
    """Delete rounds with all that came of them, and the team reports they are in."""
    teams = [team.id for team in _teams_of(session, round_ids)]
    session.execute(delete(Team).where(Team.id.in_(teams)))
    pulses = session.scalars(select(Pulse.round_id).where(Pulse.plan_id.in_(round_ids))).all()
    session.execute(delete(Round).where(Round.id.in_(pulses)))
    session.execute(delete(Round).where(Round.id.in_(round_ids)))


@dataclass(frozen=True)
class OfPerson:
    """What is known of a person and goes with them, and what keeps them from going now."""

    rounds: tuple[Round, ...]
    pulses: int
    teams: tuple[Team, ...]
    asked_in: int
    coached: int
    mails: int
    obstacles: tuple[Refused, ...]


def of_person(session: Session, person: Person) -> OfPerson:
    """Return what would go with a person who is erased."""
    query = select(Round).where(Round.leader_id == person.id, Round.is_whole())
    found = session.scalars(query.order_by(Round.closes_at.desc())).all()
    round_ids = [each.id for each in found]
    access = or_(CoachAccess.leader_id == person.id, CoachAccess.coach_id == person.id)
    asked = select(Nomination.id).where(
        Nomination.person_id == person.id, Nomination.round_id.not_in(round_ids)
    )
    return OfPerson(
        rounds=tuple(found),
        pulses=_count(session, select(Pulse.round_id).where(Pulse.plan_id.in_(round_ids))),
        teams=tuple(_teams_of(session, round_ids)),
        asked_in=_count(session, asked),
        coached=_count(session, select(CoachAccess.leader_id).where(access)),
        mails=_count(session, select(Mail.id).where(Mail.person_id == person.id)),
        obstacles=tuple(_obstacles(session, person)),
    )


def _obstacles(session: Session, person: Person) -> list[Refused]:
    found = []
    # With a proposal about them raters are told what has changed.
    theirs = union(
        select(Round.id).where(Round.leader_id == person.id),
        select(Nomination.round_id).where(Nomination.person_id == person.id),
        select(Proposal.round_id).where(Proposal.person_id == person.id),
    )
    open_rounds = select(Round).where(
        Round.state.not_in((*ENDED, RoundState.DRAFT, RoundState.NOMINATING)), Round.id.in_(theirs)
    )
    found += [
        Refused(marked("the round of %(leader)s is open"), leader=each.leader.name)
        for each in session.scalars(open_rounds)
    ]
    leftover = select(Round.id).where(Round.leader_id == person.id, _keys_left())
    if not found and session.scalar(leftover):
        found.append(Refused(marked("keys of a round are still being destroyed")))
    trustee = select(Trustee.id).where(
        Trustee.person_id == person.id,
        or_(
            Trustee.retired_on.is_(None),
            select(Round.id)
            .where(Round.trustee_id == Trustee.id, Round.state == RoundState.OPEN)
            .exists(),
        ),
    )
    if session.scalar(trustee):
        found.append(Refused(marked("rounds are sealed to their key")))
    others = select(Person.id).where(Person.administers, Person.active, Person.id != person.id)
    if person.administers and session.scalar(others) is None:
        found.append(Refused(marked("nobody else is an administrator")))
    return found


def _tell_drafts(session: Session) -> None:
    """Note which rounds that are prepared have fewer raters now than they need."""
    named = select(func.count()).where(Nomination.round_id == Round.id).scalar_subquery()
    too_few = update(Round).where(Round.state == RoundState.NOMINATING, named < Round.k)
    session.execute(
        too_few.values(state=RoundState.DRAFT).execution_options(synchronize_session=False)
    )


def erase(session: Session, person: Person, now: datetime, actor: Person | None = None) -> None:
    """Delete a person and everything that is theirs or names them. The caller commits.

    Previews of other leaders stay: nothing in them is about one rater. Raises NotErasable.
    """
    of = of_person(session, person)
    if of.obstacles:
        raise NotErasable(person, of.obstacles)
    erased_id, gone = person.id, f"erased {str(person.id)[:8]}"
    trustees = select(Trustee.id).where(Trustee.person_id == person.id)
    session.execute(update(Round).where(Round.trustee_id.in_(trustees)).values(trustee_id=None))
    session.execute(delete(Trustee).where(Trustee.person_id == person.id))
    session.execute(
        delete(Proposal).where(
            or_(Proposal.person_id == person.id, Proposal.proposer_id == person.id)
        )
    )
    session.execute(
        update(Proposal).where(Proposal.decider_id == person.id).values(decider_id=None)
    )
    _forget_rounds(session, [each.id for each in of.rounds])
    session.execute(delete(Nomination).where(Nomination.person_id == person.id))
    _tell_drafts(session)
    audit.forget(session, person, gone)
    session.execute(delete(Mail).where(Mail.address == person.email))
    session.delete(person)
    session.flush()
    session.expire_all()
    # Whoever erases themselves is not there any more to be named.
    by = actor if actor is not None and actor.id != erased_id else None
    audit.record(session, by, marked("person erased"), gone, now)
