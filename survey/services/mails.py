"""The outbox: mails are queued here, and sent by whoever delivers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from survey.errors import Conflict, NotFound, marked
from survey.models import (
    Invitation,
    Mail,
    MailKind,
    MailState,
    Person,
    Programme,
    Round,
    RoundState,
)
from survey.models.mail import TROUBLED
from survey.services import audit

# After each failure the next attempt waits longer; after the last the mail has failed.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 480, 1440))
# Mails that ask somebody for answers: one a day to a person, and it lists all that is open.
ASKING = (MailKind.INVITATION, MailKind.REMINDER)
# What these hold must reach nobody but whoever has the person's address now.
FOR_ONE_ADDRESS = (
    *ASKING, MailKind.ROUND_CHANGED, MailKind.SIGN_IN, MailKind.APPROVAL_ASKED
)  # fmt: skip
BETWEEN_ASKING = timedelta(days=1)
# Nobody is asked a day later if that leaves less than this until the close.
TIME_TO_ANSWER = timedelta(days=3)
# How long a deliverer may take before its mail is taken for abandoned.
LEASE = timedelta(minutes=10)


class NotSendable(Conflict):
    """Only a mail that failed, or an invitation, can be sent again by hand."""

    message = marked("This mail cannot be sent again: it still waits, or is no longer wanted.")


def queue(
    session: Session,
    kind: MailKind,
    key: str,
    person: Person,
    language: str,
    now: datetime,
    round_: Round | None = None,
    invitation: Invitation | None = None,
    sealed: bytes | None = None,
    address: str = "",
) -> Mail:
    """Put a mail into the outbox; the key is unique, so the same one is never queued twice.

    It goes to the person's address, or to another one of theirs.
    """
    mail = Mail(
        key=key,
        kind=kind,
        person_id=person.id,
        address=address or person.email,
        language=language,
        round_id=round_.id if round_ else None,
        invitation_id=invitation.id if invitation else None,
        sealed=sealed,
        due_at=now,
    )
    session.add(mail)
    session.flush()
    return mail


def queue_invitation(
    session: Session, invitation: Invitation, now: datetime, *, again: bool = False
) -> None:
    """Put the mail with a rater's link into the outbox; once, unless it is wanted `again`."""
    key = f"invitation:{invitation.id}:{uuid4()}" if again else f"invitation:{invitation.id}"
    mail = _about(session, MailKind.INVITATION, key, invitation, now)
    if not again:
        _not_twice_a_day(session, mail, invitation.nomination.round, now)


def queue_reminder(session: Session, invitation: Invitation, now: datetime) -> None:
    """Put a reminder into the outbox, the next one of its round."""
    round_ = invitation.nomination.round
    key = f"reminder:{invitation.id}:{round_.reminders}"
    mail = _about(session, MailKind.REMINDER, key, invitation, now)
    _not_twice_a_day(session, mail, round_, now)


def _about(
    session: Session, kind: MailKind, key: str, invitation: Invitation, now: datetime
) -> Mail:
    person, round_ = invitation.nomination.person, invitation.nomination.round
    return queue(
        session, kind, key, person, round_.language, now, round_=round_, invitation=invitation
    )


def _not_twice_a_day(session: Session, mail: Mail, round_: Round, now: datetime) -> None:
    """Let a mail wait where its person was asked for answers within a day, if there is time.

    A reminder makes no invitation wait: administrators see when those are sent, and would see
    who has not answered.
    """
    last = session.scalar(
        select(func.max(Mail.sent_at)).where(
            Mail.person_id == mail.person_id, Mail.kind.in_(_moved_by(mail))
        )
    )
    if last is None:
        return
    later = last + BETWEEN_ASKING
    if now < later <= round_.closes_at - TIME_TO_ANSWER:
        mail.due_at = later
        session.flush()


def _moved_by(mail: Mail) -> tuple[MailKind, ...]:
    return ASKING if mail.kind is MailKind.REMINDER else (MailKind.INVITATION,)


def claim_along(session: Session, mail: Mail, invitations: list[UUID], now: datetime) -> list[Mail]:
    """Take what else waits to ask the same person, as far as this mail lists it.

    A reminder takes only reminders, for the same reason as above.
    """
    kinds = (MailKind.REMINDER,) if mail.kind is MailKind.REMINDER else ASKING
    along = (
        select(Mail.id)
        .where(
            Mail.person_id == mail.person_id,
            Mail.address == mail.address,
            Mail.kind.in_(kinds),
            or_(
                Mail.state == MailState.WAITING,
                # Taken by a deliverer who vanished.
                and_(Mail.state == MailState.SENDING, Mail.due_at <= now),
            ),
            Mail.invitation_id.in_(invitations),
            ~_is_held(),
        )
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(along))
    taken = session.execute(
        update(Mail)
        .where(Mail.id.in_(ids))
        .values(state=MailState.SENDING, attempts=Mail.attempts + 1, due_at=now + LEASE)
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    )
    return [session.get_one(Mail, each, populate_existing=True) for each in taken.scalars()]


def _is_held() -> ColumnElement[bool]:
    """Say in a query whether a mail asks somebody for a programme whose mails are held."""
    held = (
        select(Round.id)
        .join(Programme, Programme.id == Round.programme_id)
        .where(Round.id == Mail.round_id, Programme.mails_held)
    )
    return and_(Mail.kind.in_(ASKING), held.exists())


def let_go(session: Session, mail: Mail, now: datetime) -> None:
    """Put a mail back that was taken along in vain, as if nobody had taken it."""
    values = {"state": MailState.WAITING, "attempts": mail.attempts - 1, "due_at": now}
    session.execute(update(Mail).where(Mail.id == mail.id).values(values))


def claim(session: Session, now: datetime) -> Mail | None:
    """Take the next mail that is due, so that no other deliverer does; None if there is none.

    Commit before sending: the claim is what others see. Until then no other deliverer takes a
    mail of the same person, so that what can go along with it does. A mail whose deliverer
    vanished is due again once its lease is over.
    """
    due = (
        select(Mail.id)
        .join(Mail.person)
        .where(_can_leave(now))
        .order_by(Mail.due_at)
        .limit(1)
        .with_for_update(of=[Mail, Person], key_share=True, skip_locked=True)
    )
    taken = session.execute(
        update(Mail)
        .where(Mail.id == due.scalar_subquery())
        .values(state=MailState.SENDING, attempts=Mail.attempts + 1, due_at=now + LEASE)
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return session.get(Mail, taken, populate_existing=True) if taken else None


def backlog(session: Session, now: datetime) -> dict[str, int]:
    """Return how many mails could leave now, and how many were given up.

    Reminders are left out: they go only to those who have not answered.
    """
    told = Mail.kind != MailKind.REMINDER
    waiting = select(func.count()).where(_can_leave(now), told)
    failed = select(func.count()).where(Mail.state == MailState.FAILED, told)
    return {"waiting": session.scalar(waiting) or 0, "failed": session.scalar(failed) or 0}


def _can_leave(now: datetime) -> ColumnElement[bool]:
    """Say in a query whether a mail is due; whoever took it and vanished holds it up no longer."""
    waits = Mail.state.in_([MailState.WAITING, MailState.SENDING])
    return and_(waits, Mail.due_at <= now, ~_is_held())


def mark_sent(session: Session, mail: Mail, now: datetime) -> None:
    """Note that the mail server took the mail; its secret is forgotten.

    A reminder's row may be gone: its round has ended meanwhile.
    """
    values = {"state": MailState.SENT, "sent_at": now, "sealed": None, "trouble": ""}
    session.execute(update(Mail).where(Mail.id == mail.id).values(values))


def mark_trouble(
    session: Session,
    mail: Mail,
    trouble: str,
    now: datetime,
    *,
    final: bool = False,
    patient: bool = False,
) -> None:
    """Note why a mail was not taken: try again later, or give up if that cannot help.

    `patient`: it is not the mail's fault, so it is never given up.
    """
    values: dict[str, Any] = {"trouble": trouble[:500]}
    if final or (mail.attempts > len(WAITS) and not patient):
        values |= {"state": MailState.FAILED, "sealed": None}
    else:
        wait = WAITS[min(mail.attempts, len(WAITS)) - 1]
        values |= {"state": MailState.WAITING, "due_at": now + wait}
    session.execute(update(Mail).where(Mail.id == mail.id).values(values))


def mark_bounced(session: Session, mail_id: UUID, reason: str) -> Mail | None:
    """Note that a mail was taken and not delivered after all; None if it is not one of ours."""
    bounced = session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.state == MailState.SENT)
        .values(state=MailState.FAILED, trouble=f"bounced: {reason}"[:500])
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return session.get(Mail, bounced, populate_existing=True) if bounced else None


def send_again(session: Session, mail_id: UUID, now: datetime, actor: Person | None = None) -> None:
    """Send a failed mail again, or an invitation once more, to the address its person has now.

    Raises NotFound, or NotSendable for what waits, is no longer wanted, or holds a code.
    """
    mail = session.get(Mail, mail_id)
    if mail is None:
        raise NotFound
    person = session.get_one(Person, mail.person_id)
    if mail.state is MailState.SENT and mail.invitation is not None:
        queue_invitation(session, mail.invitation, now, again=True)
    elif mail.state is MailState.FAILED and mail.kind is not MailKind.SIGN_IN:
        mail.state, mail.attempts, mail.due_at = MailState.WAITING, 0, now
        if mail.kind is not MailKind.ADDRESS_CHANGED:
            mail.address = person.email
        session.flush()
    else:
        raise NotSendable
    audit.record(session, actor, marked("mail sent again"), person, now)


def withdraw(session: Session, round_: Round, invitation: Invitation | None = None) -> None:
    """Call back what a round has not sent yet, to everybody or with one invitation."""
    unsent = Mail.state.in_([MailState.WAITING, MailState.FAILED])
    query = update(Mail).where(Mail.round_id == round_.id, unsent)
    if invitation is not None:
        query = query.where(Mail.invitation_id == invitation.id)
    session.execute(query.values(state=MailState.WITHDRAWN, sealed=None))


def forget_reminders(session: Session, round_: Round) -> None:
    """Delete the reminders of a round: they went to those only who had not answered."""
    session.execute(delete(Mail).where(Mail.round_id == round_.id, Mail.kind == MailKind.REMINDER))


def withdraw_reminders(session: Session, invitation: Invitation) -> None:
    """Call back a reminder that is no longer needed."""
    unsent = Mail.state.in_([MailState.WAITING, MailState.FAILED])
    of = (Mail.invitation_id == invitation.id, Mail.kind == MailKind.REMINDER)
    session.execute(update(Mail).where(*of, unsent).values(state=MailState.WITHDRAWN))


def redirect(session: Session, person: Person) -> None:
    """Send what waits to the address that a person has now; links and codes are made anew.

    What tells an old address of a change stays with it, whatever is changed next.
    """
    waiting = (Mail.person_id == person.id, Mail.state.in_([MailState.WAITING, MailState.FAILED]))
    secret = Mail.kind.in_(FOR_ONE_ADDRESS)
    session.execute(
        update(Mail).where(*waiting, secret).values(state=MailState.WITHDRAWN, sealed=None)
    )
    others = Mail.kind != MailKind.ADDRESS_CHANGED
    session.execute(update(Mail).where(*waiting, others).values(address=person.email))


def latest(session: Session, most: int = 300) -> list[Mail]:
    """Return mails for the administrator: those in trouble first, then the latest.

    No reminders: they would tell who has not answered.
    """
    query = (
        select(Mail)
        .options(joinedload(Mail.person), joinedload(Mail.round).joinedload(Round.leader))
        .where(Mail.kind != MailKind.REMINDER)
        .order_by(Mail.due_at.desc())
    )
    found = list(session.scalars(query.where(TROUBLED).limit(most)))
    found += session.scalars(query.where(Mail.trouble == "").limit(most - len(found)))
    return found


@dataclass(frozen=True)
class Sending:
    """How many invitations of a programme are sent, wait, or cannot be delivered."""

    sent: int
    waiting: int
    failed: int

    @property
    def total(self) -> int:
        """All that go out."""
        return self.sent + self.waiting + self.failed


def sending(session: Session, programme: Programme) -> Sending | None:
    """Return how far the invitations of a programme's open rounds are; None if none waits.

    No reminders, as above.
    """
    asking = (
        Round.programme_id == programme.id,
        Round.state == RoundState.OPEN,
        Mail.kind == MailKind.INVITATION,
    )
    unsent = (MailState.WAITING, MailState.SENDING)
    joined = select(Mail.id).join(Round, Round.id == Mail.round_id).where(*asking)
    if session.scalar(joined.where(Mail.state.in_(unsent)).limit(1)) is None:
        return None
    query = joined.with_only_columns(Mail.state, func.count()).group_by(Mail.state)
    found: Counter[MailState] = Counter()
    for state, number in session.execute(query):
        found[state] = number
    waiting = sum(found[state] for state in unsent)
    return Sending(found[MailState.SENT], waiting, found[MailState.FAILED])


def hold(
    session: Session, programme: Programme, now: datetime, actor: Person | None, *, held: bool
) -> None:
    """Let the mails that ask a programme's raters wait, those still to come as well; or go."""
    programme.mails_held = held
    session.flush()
    act = marked("mails held") if held else marked("mails let go")
    audit.record(session, actor, act, programme.name, now)


def in_trouble(session: Session, round_: Round) -> int:
    """Return how many mails of a round could not be delivered, but for reminders."""
    query = select(func.count()).where(
        Mail.round_id == round_.id,
        Mail.state == MailState.FAILED,
        Mail.kind != MailKind.REMINDER,
    )
    return session.scalar(query) or 0
