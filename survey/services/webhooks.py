"""Webhooks: what another program is to be told of rounds, until it has taken it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from survey.models import Round, Webhook, WebhookKind

# After each failure the next attempt waits longer, for three days in all.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 300, 600, 840, 1200, 1440))
# How long a deliverer may take before its message is taken for abandoned.
LEASE = timedelta(minutes=5)


def note(session: Session, kind: WebhookKind, round_: Round, now: datetime) -> None:
    """Have the other program told what has become of a round; pulses belong to their plans."""
    if round_.pulse is None:
        session.add(Webhook(kind=kind, round_id=round_.id, happened_at=now, due_at=now))
        session.flush()


def claim(session: Session, now: datetime) -> Webhook | None:
    """Take the next message that is due, so that no other deliverer does; None if there is none.

    Commit before sending. A message whose deliverer vanished is due again after a while, under
    the same number.
    """
    due = (
        select(Webhook.id)
        .where(Webhook.due_at <= now)
        .order_by(Webhook.due_at, Webhook.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(
        update(Webhook)
        .where(Webhook.id == due.scalar_subquery())
        .values(attempts=Webhook.attempts + 1, due_at=now + LEASE)
        .returning(Webhook.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return session.get(Webhook, taken, populate_existing=True) if taken else None


def mark_taken(session: Session, webhook_id: UUID) -> None:
    """Forget a message that the other program has taken."""
    session.execute(delete(Webhook).where(Webhook.id == webhook_id))


def mark_trouble(session: Session, webhook: Webhook, trouble: str, now: datetime) -> None:
    """Note why a message was not taken; try again later, or give it up."""
    again = now + WAITS[webhook.attempts - 1] if webhook.attempts <= len(WAITS) else None
    values = {"trouble": trouble[:500], "due_at": again}
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(values))


def given_up(session: Session) -> int:
    """Return how many messages were given up."""
    return session.scalar(select(func.count()).where(Webhook.due_at.is_(None))) or 0


def latest_trouble(session: Session) -> str:
    """Return what went wrong with the latest message that something went wrong with."""
    query = select(Webhook.trouble).where(Webhook.trouble != "")
    return session.scalar(query.order_by(Webhook.happened_at.desc()).limit(1)) or ""


def send_again(session: Session, now: datetime) -> int:
    """Send again what was given up; return how many there are."""
    number = given_up(session)
    again = update(Webhook).where(Webhook.due_at.is_(None)).values(due_at=now, attempts=0)
    session.execute(again)
    return number


def forget(session: Session, before: datetime | None = None) -> bool:
    """Delete all messages, or those before a moment; return whether there were any."""
    which = [Webhook.happened_at < before] if before else []
    if session.scalar(select(Webhook.id).where(*which).limit(1)) is None:
        return False
    session.execute(delete(Webhook).where(*which))
    return True
