"""Reminders: to those who have not answered, at most two in a round, until they want no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from survey.errors import Conflict, NotFound, marked
from survey.models import Answered, Invitation, Nomination, Person, Round
from survey.services import audit, mails, rounds
from survey.services.rounds import RoundNotOpen

MOST = 2
APART = timedelta(days=2)


class RemindersSpent(Conflict):
    """A round reminds at most twice."""

    message = marked("This round has reminded twice; more would be pressure.")


class TooSoon(Conflict):
    """The last mail to the raters was only just sent."""

    message = marked("The last mails are too fresh: leave two days between them.")


def next_from(round_: Round) -> datetime | None:
    """Return the moment from which the next reminder may be sent; None if there is none left."""
    last = round_.reminded_at or round_.opens_at
    return last + APART if last is not None and round_.reminders < MOST else None


def remind(session: Session, round_: Round, now: datetime, actor: Person | None = None) -> int:
    """Queue a reminder for everybody who has neither answered nor declined; return how many.

    Not for those who want none, and not for the leader. Raises RoundNotOpen, RemindersSpent,
    TooSoon.
    """
    rounds.hold(session, round_)
    if not round_.is_collecting(now):
        raise RoundNotOpen
    allowed_from = next_from(round_)
    if allowed_from is None:
        raise RemindersSpent
    if now < allowed_from:
        raise TooSoon
    round_.reminders, round_.reminded_at = round_.reminders + 1, now
    query = (
        select(Invitation)
        .join(Nomination)
        .where(
            Nomination.round_id == round_.id,
            Nomination.relationship != SELF,
            Invitation.answered == Answered.NOT_YET,
            Invitation.undisturbed.is_(False),
        )
    )
    waiting = session.scalars(query).all()
    for invitation in waiting:
        mails.queue_reminder(session, invitation, now)
    audit.record(session, actor, marked("raters reminded"), round_, now)
    return len(waiting)


def stop(session: Session, invitation_id: UUID) -> None:
    """Send a rater no more reminders in a round; the form stays open to them. Raises NotFound."""
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound
    invitation.undisturbed = True
    mails.withdraw_reminders(session, invitation)
    session.flush()
