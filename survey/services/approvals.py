"""Approvals: a manager looks at whom a leader wants to ask, where the programme wants it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reports.release import sha256
from survey.errors import Conflict, NotFound, Refused, marked
from survey.models import Approval, MailKind, Person, Round
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
    if round_.approver is None or not may_ask(round_):
        raise NothingToApprove
    if len(round_.nominations) < round_.k:
        raise RatersMissing(k=round_.k)
    round_.approval, round_.approval_note = Approval.WAITING, ""
    session.flush()
    key = f"approval_asked:{round_.id}:{uuid4()}"
    mails.queue(
        session,
        MailKind.APPROVAL_ASKED,
        key,
        round_.approver,
        round_.language,
        now,
        round_=round_,
    )
    audit.record(session, actor, marked("approval asked"), rounds.subject(round_), now)


def may_ask(round_: Round) -> bool:
    """Say whether the leader can ask for an approval now."""
    return round_.is_prepared() and round_.approval in (Approval.NOT_ASKED, Approval.SENT_BACK)


def waiting(session: Session, round_id: UUID, approver_id: UUID) -> Round:
    """Return a round whose raters this manager is to approve, or has approved, before it opens.

    Raises NotFound.
    """
    round_ = session.get(Round, round_id)
    if round_ is None or round_.approver_id != approver_id or not round_.is_prepared():
        raise NotFound
    if round_.approver is None or not round_.approver.active:
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
    audit.record(session, round_.approver, act, rounds.subject(round_), now)
