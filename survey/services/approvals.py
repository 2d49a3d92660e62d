"""Approvals: a manager looks at whom a leader wants to ask, where the programme wants it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reports.release import sha256
from survey.errors import Conflict, NotFound, Refused, marked
from survey.models import Approval, MailKind, Person, Round, RoundState
from survey.services import audit, mails, rounds
from survey.services.rounds import RatersMissing

LONGEST_NOTE = 600


class NothingToApprove(Conflict):
    """Nobody has to approve this round's raters, or it has been asked for already."""

    message = marked("There is nothing to approve here now.")


class RatersChanged(Conflict):
    """The leader has changed the list while the manager read it."""

    message = marked("The list has changed since you opened it. Please look at it once more.")


class NoteMissing(Refused):
    """A list that is sent back without a word helps nobody."""

    status = 422
    message = marked("Write a sentence on what should be different.")


def ask(session: Session, round_: Round, now: datetime, actor: Person | None = None) -> None:
    """Ask the manager to approve a round's raters. Raises NothingToApprove, RatersMissing."""
    rounds.hold_prepared(session, round_)
    if round_.approver is None or round_.approval in (Approval.WAITING, Approval.APPROVED):
        raise NothingToApprove
    if len(round_.nominations) < round_.k:
        raise RatersMissing(k=round_.k)
    round_.approval, round_.approval_note = Approval.WAITING, ""
    session.flush()
    _mail(session, round_, round_.approver, now)
    audit.record(session, actor, marked("approval asked"), round_, now)


def renew(session: Session, approver: Person, now: datetime) -> None:
    """Mail a manager what waits for them once more: links to a former address open nothing."""
    query = select(Round).where(
        Round.approver_id == approver.id,
        Round.approval == Approval.WAITING,
        Round.state == RoundState.NOMINATING,
    )
    for round_ in session.scalars(query).all():
        _mail(session, round_, approver, now)


def _mail(session: Session, round_: Round, approver: Person, now: datetime) -> None:
    key, kind = f"approval_asked:{round_.id}:{uuid4()}", MailKind.APPROVAL_ASKED
    mails.queue(session, kind, key, approver, round_.language, now, round_=round_)


def waiting(session: Session, round_id: UUID, address: str) -> Round:
    """Return a round whose raters the manager at an address approves, or has, before it opens.

    Raises NotFound.
    """
    round_ = session.get(Round, round_id)
    if round_ is None or not round_.is_prepared() or round_.approver is None:
        raise NotFound
    if round_.approver.email != address or not round_.approver.active:
        raise NotFound
    return round_


def roster(round_: Round) -> str:
    """Return by what a list of raters is known: approved is what was read."""
    named = sorted(f"{each.person_id} {each.relationship}" for each in round_.nominations)
    return sha256("\n".join(named))


def approve(session: Session, round_: Round, read: str, now: datetime) -> None:
    """Approve the list that was `read`. Raises NothingToApprove, RatersChanged."""
    _decide(session, round_, read, Approval.APPROVED, "", now)


def send_back(session: Session, round_: Round, read: str, note: str, now: datetime) -> None:
    """Send a list back with a note. Raises NothingToApprove, RatersChanged, NoteMissing."""
    if not note:
        raise NoteMissing
    _decide(session, round_, read, Approval.SENT_BACK, note, now)


def _decide(
    session: Session, round_: Round, read: str, decided: Approval, note: str, now: datetime
) -> None:
    # Held until the commit, so that the leader changes nothing meanwhile.
    rounds.lock(session, round_)
    if round_.approval is not Approval.WAITING:
        raise NothingToApprove
    if roster(round_) != read:
        raise RatersChanged
    round_.approval, round_.approval_note = decided, note
    session.flush()
    key = f"approval_decided:{round_.id}:{uuid4()}"
    kind = MailKind.APPROVAL_DECIDED
    mails.queue(session, kind, key, round_.leader, round_.language, now, round_=round_)
    act = marked("raters approved") if decided is Approval.APPROVED else marked("raters sent back")
    audit.record(session, round_.approver, act, round_, now)
