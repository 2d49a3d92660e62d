"""Whose turn it is: work that comes again is done once, however many workers there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey.models import Schedule

# A worker that vanished with a task that comes seldom is not waited for any longer.
LEASE = timedelta(minutes=10)


def take(session: Session, periods: Mapping[str, timedelta], now: datetime) -> list[str]:
    """Return which of the tasks are due and nobody else has taken; commit before doing them.

    What comes more seldom than the lease is due again after that, unless it is `done`.
    """
    for name in periods.keys() - set(session.scalars(select(Schedule.name))):
        _begin(session, name, now)
    return [name for name, every in periods.items() if _is_taken(session, name, every, now)]


def done(session: Session, name: str, every: timedelta, now: datetime) -> None:
    """Note that a task was done: it is due again after its period."""
    session.execute(update(Schedule).where(Schedule.name == name).values(due_at=now + every))


def _begin(session: Session, name: str, now: datetime) -> None:
    try:
        with session.begin_nested():
            session.add(Schedule(name=name, due_at=now))
    except IntegrityError:
        # Another worker was faster.
        pass


def _is_taken(session: Session, name: str, every: timedelta, now: datetime) -> bool:
    due = or_(
        Schedule.due_at <= now,
        # A clock that ran ahead for a while must not stop all work until then.
        Schedule.due_at > now + every,
    )
    taken = session.execute(
        update(Schedule)
        .where(Schedule.name == name, due)
        .values(due_at=now + min(every, LEASE))
        .returning(Schedule.name)
        .execution_options(synchronize_session=False)
    )
    return taken.one_or_none() is not None
