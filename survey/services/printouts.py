"""PDFs of previews, printed ahead by whichever worker has time.

A new release is the promise; nobody has to order its PDF, so none can be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from reports.release import sha256
from survey.errors import marked
from survey.models import Person, Printout, PrintState, Programme, Release, Round
from survey.services import audit

# How long printing may take before its worker is taken for dead; it ends by itself before.
LEASE = timedelta(minutes=5)
# What kills its worker each time is left to the page.
ATTEMPTS = 3


@dataclass(frozen=True)
class Printing:
    """How many of a programme's new previews are printed, or need not be."""

    done: int
    total: int


def claim(session: Session, now: datetime, since: date) -> Release | None:
    """Take the next release of these days whose preview is to be printed; None if there is none.

    Commit before printing, so that no other worker takes it.
    """
    query = (
        select(Release)
        .outerjoin(Printout, Printout.round_id == Release.round_id)
        .where(Release.released_on >= since, _waits(now))
        .order_by(Release.released_on, Release.round_id)
        .limit(1)
        .with_for_update(of=Release, skip_locked=True)
    )
    release = session.scalar(query)
    if release is None:
        return None
    printout = _of(session, release)
    printout.attempts += 1
    printout.due_at = now + LEASE
    if printout.attempts > ATTEMPTS:
        printout.state = PrintState.FAILED
        session.flush()
        return claim(session, now, since)
    session.flush()
    return release


def _waits(now: datetime) -> ColumnElement[bool]:
    abandoned = and_(Printout.state == PrintState.PRINTING, Printout.due_at <= now)
    return or_(Printout.round_id.is_(None), abandoned)


def _of(session: Session, release: Release) -> Printout:
    printout = session.get(Printout, release.round_id, populate_existing=True)
    if printout is None:
        printout = Printout(
            round_id=release.round_id, state=PrintState.PRINTING, attempts=0, html_sha256=""
        )
        session.add(printout)
    return printout


def keep(session: Session, round_id: UUID, html: str, pdf: bytes) -> None:
    """Keep what was printed of a page; a release that is gone by now takes nothing."""
    _end(session, round_id, PrintState.DONE, html, pdf)


def give_up(session: Session, round_id: UUID) -> None:
    """Note that a preview cannot be printed within its limits."""
    _end(session, round_id, PrintState.FAILED)


def _end(
    session: Session, round_id: UUID, state: PrintState, html: str = "", pdf: bytes | None = None
) -> None:
    printout = session.get(Printout, round_id, populate_existing=True, with_for_update=True)
    if printout is not None and printout.state is PrintState.PRINTING:
        printout.state, printout.pdf, printout.html_sha256 = state, pdf, sha256(html)
        session.flush()


def ready(session: Session, release: Release, html: str) -> bytes | None:
    """Return the PDF of a page, if it was printed ahead and the page is still the same."""
    query = select(Printout.pdf).where(
        Printout.round_id == release.round_id, Printout.html_sha256 == sha256(html)
    )
    return session.scalar(query)


def progress(session: Session, programme: Programme, since: date) -> Printing:
    """Return how far the printing of a programme's new previews is."""
    if (
        session.scalar(select(Release.round_id).where(Release.released_on >= since).limit(1))
        is None
    ):
        return Printing(0, 0)
    query = (
        select(func.count(), func.count(Printout.round_id))
        .select_from(Release)
        .join(Round, Round.id == Release.round_id)
        .outerjoin(
            Printout,
            and_(
                Printout.round_id == Release.round_id,
                Printout.state != PrintState.PRINTING,
            ),
        )
        .where(Round.programme_id == programme.id, Release.released_on >= since)
    )
    total, done = session.execute(query).one()
    return Printing(done, total)


def stop(
    session: Session,
    programme: Programme,
    now: datetime,
    since: date,
    actor: Person | None = None,
) -> None:
    """Print no more of a programme's previews ahead; each is printed when it is asked for."""
    waiting = (
        select(Release)
        .join(Round, Round.id == Release.round_id)
        .outerjoin(Printout, Printout.round_id == Release.round_id)
        .where(
            Round.programme_id == programme.id,
            Release.released_on >= since,
            or_(Printout.round_id.is_(None), Printout.state == PrintState.PRINTING),
        )
        .with_for_update(of=Release)
    )
    for release in session.scalars(waiting):
        printout = _of(session, release)
        printout.state, printout.due_at = PrintState.STOPPED, now
    session.flush()
    audit.record(session, actor, marked("printing stopped"), programme.name, now)


def forget(session: Session, since: date) -> None:
    """Delete the PDFs of older releases; they are printed again when they are asked for."""
    older = select(Release.round_id).where(Release.released_on < since)
    session.execute(delete(Printout).where(Printout.round_id.in_(older)))
