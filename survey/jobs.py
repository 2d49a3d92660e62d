"""Work that nobody waits for: mails, closing days, keys to make and to destroy.

Rows in the database say what is to be done. Every task can be done by as many
processes as one likes, as often as one likes; `schedules` says whose turn it is,
and a ring of the bell does not wait for it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from reports.printing import PrintFailed
from survey import db, webhooks
from survey.errors import Refused, for_log
from survey.keyring import KeyringUnusable, Side
from survey.mail import deliver
from survey.models import Mail, PeopleImport, Printout, Release, Round, Webhook
from survey.services import (
    closing,
    coaching,
    custody,
    imports,
    previews,
    printouts,
    programmes,
    pulses,
    retention,
    rounds,
    schedules,
    trustees,
)
from survey.services import webhooks as messages
from survey.services.closing import NotDue, TooFewAnswers, TrusteeNeeded
from survey.services.rounds import RoundStarted
from survey.site import EXTENSION, Site, site

log = logging.getLogger(__name__)
SECONDS_BETWEEN = 5.0
OFTEN = timedelta(seconds=SECONDS_BETWEEN)
DAILY = timedelta(days=1)
MAILS_AT_ONCE = 50
# Each may take ten seconds where nobody answers.
MESSAGES_AT_ONCE = 10
# After so many, other tasks have their turn.
ROUNDS_AT_ONCE = 50
# Rows that somebody should look after as soon as they are committed, and the task that does.
LOOKED_AFTER: dict[type, str] = {
    Mail: "deliver",
    PeopleImport: "import",
    Release: "print",
    Printout: "print",
    Webhook: "tell",
}
# Long work, of which a piece is done at a time; it rings for its own next one.
IN_PIECES = ("open programmes", "renew enough")
RUNG = {*LOOKED_AFTER.values(), *IN_PIECES}
TO_RING = "preview360_to_ring"
BEFORE_CLOSING_AGAIN = timedelta(minutes=10)


class NotYet(Exception):
    """A task could not be done now and is tried again soon; that is no error."""


@dataclass(frozen=True)
class Task:
    """Work that comes again, and how often at least."""

    do: Callable[[Site], None]
    every: timedelta = OFTEN


def periods(side: Side) -> dict[str, timedelta]:
    """Return the tasks of a side, and how often each comes again at least."""
    return {name: task.every for name, task in _tasks(side).items()}


def sweep(app: Flask) -> None:
    """Do everything that is due now, without waiting for a turn; others see that it was done."""
    with app.app_context():
        _take_turns()
        _do_each(periods(site().keyring.side))


def tick(app: Flask) -> None:
    """Do the tasks that are due and that no other worker has taken."""
    with app.app_context():
        _do_each(_take_turns())


def _take_turns() -> list[str]:
    """Return the tasks that were due and are now ours."""
    due = schedules.take(db.session(), periods(site().keyring.side), site().now())
    db.session().commit()
    return due


def _do_each(names: Iterable[str]) -> None:
    tasks = _tasks(site().keyring.side)
    for name in names:
        every = tasks[name].every
        if _do(name, tasks[name]) and every > schedules.LEASE:
            schedules.done(db.session(), name, every, site().now())
            db.session().commit()


def answer(app: Flask, name: str) -> None:
    """Do what the bell was rung for."""
    with app.app_context():
        task = _tasks(site().keyring.side).get(name)
        if task is not None:
            _do(name, task)


def _do(name: str, task: Task) -> bool:
    """Do a task, and say whether it was done; what fails is tried again the next time."""
    try:
        task.do(site())
        db.session().rollback()
    except NotYet:
        db.forget_session()
        return False
    except Exception as error:
        # A worker that died of one thing would leave all other mails and rounds lying.
        log.error("%s: %s", name, for_log(error))
        db.forget_session()
        return False
    return True


def _tasks(side: Side) -> dict[str, Task]:
    """Return what this side has to do; keys are only made ahead for another side to take."""
    tasks: dict[str, Task] = {}
    if side is Side.CLOSING:
        tasks["restock"] = Task(_restock)
    if side.closes:
        tasks["close"] = Task(_close_due)
    if side.serves:
        tasks["renew enough"] = Task(_renew_enough)
        tasks["hand over"] = Task(_hand_over)
        tasks["open programmes"] = Task(_open_programmes)
        tasks["open pulses"] = Task(_open_pulses)
        tasks["tidy"] = Task(_tidy, DAILY)
        tasks["forget counts"] = Task(lambda site: site.bell.forget_counts(), DAILY)
    tasks[f"find leftovers {side}"] = Task(_find_leftovers, DAILY)
    tasks[f"clean up {side}"] = Task(clean_up)
    if side.serves:
        tasks["deliver"] = Task(_deliver)
        tasks["import"] = Task(_import)
        tasks["print"] = Task(_print)
        tasks["tell"] = Task(_tell)
    return tasks


def run(app: Flask, seconds: float = SECONDS_BETWEEN) -> None:
    """Look after all work again and again, and hear the bell, until asked to stop."""
    here: Site = app.extensions[EXTENSION]
    try:
        while not here.stopping.is_set():
            _work(app, here)
            here.stopping.wait(seconds)
    finally:
        here.bell.close()


def _work(app: Flask, here: Site) -> None:
    try:
        if here.keyring.side.serves:
            here.bell.hear(lambda name: answer(app, name))
        tick(app)
    except Exception as error:
        # The database is away, most often; a worker outlives that.
        log.error("no work could be done: %s", for_log(error))


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Do this side's work beside whatever the process does; when left, end what was begun."""
    here: Site = app.extensions[EXTENSION]
    worker = threading.Thread(target=run, args=(app,), name="worker")
    worker.start()
    try:
        yield
    finally:
        here.stopping.set()
        worker.join()


@event.listens_for(db.db.session, "after_flush")
def _note(session: Session, _context: object) -> None:
    changed = {type(row) for row in (*session.new, *session.dirty)}
    names = {name for kind, name in LOOKED_AFTER.items() if kind in changed}
    session.info.setdefault(TO_RING, set()).update(names)


@event.listens_for(db.db.session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(TO_RING, None)


@event.listens_for(db.db.session, "after_commit")
def _ring(session: Session) -> None:
    rung = session.info.pop(TO_RING, ())
    # The closing side holds ballot keys, and has no line to where web machines write.
    if site().keyring.side.serves:
        for name in rung:
            site().bell.ring(name)


def _restock(site: Site) -> None:
    session = db.session()
    while custody.restock(session, site.keyring):
        session.commit()


def _close_due(site: Site) -> None:
    session = db.session()
    due = rounds.due(session, site.now())
    # Workers that come at once begin at different rounds, and seldom wait for one another.
    random.shuffle(due)
    for round_id in due:
        session.rollback()
        if site.stopping.is_set():
            return
        if round_id in site.close_again and site.now() < site.close_again[round_id]:
            continue
        site.close_again[round_id] = site.now() + BEFORE_CLOSING_AGAIN
        try:
            _close_or_end(site, session, round_id)
        except NotDue:
            # Somebody else was faster.
            session.rollback()
        except Exception as error:
            session.rollback()
            log.error("round %s was not closed: %s", round_id, for_log(error))


def _close_or_end(site: Site, session: Session, round_id: UUID) -> None:
    """Close a round; where too few answered, end it once the leader had time to move the day.

    Nobody moves the day of a pulse.

    Where its trustee is needed, ask for them, and end it if they do not come for long.
    """
    try:
        close(site, session, round_id)
    except TooFewAnswers:
        session.rollback()
        round_ = session.get_one(Round, round_id)
        patience = timedelta() if round_.pulse else rounds.PATIENCE
        if round_id in rounds.due(session, site.now() - patience):
            rounds.void(session, round_, site.now())
    except TrusteeNeeded:
        session.rollback()
        round_ = session.get_one(Round, round_id)
        if round_id in rounds.due(session, site.now() - rounds.PATIENCE_FOR_TRUSTEE):
            rounds.void(session, round_, site.now())
        else:
            trustees.ask(session, round_, site.now())
    session.commit()


def close(site: Site, session: Session, round_id: UUID, trustee_key: bytes | None = None) -> None:
    """Close a round, commit, and destroy its ballot key at once, whatever the database says then.

    Raises as `closing.close`.
    """
    key_id = closing.close(
        session,
        site.keyring,
        round_id,
        site.now(),
        site.settings.zone(),
        trustee_key=trustee_key,
    )
    session.commit()
    try:
        site.keyring.destroy_ballot_key(key_id)
    except KeyringUnusable as error:
        # The release stands; `clean_up` tries again.
        log.error("the key of round %s is still there: %s", round_id, for_log(error))


def _hand_over(site: Site) -> None:
    session = db.session()
    coaching.hand_over_overdue(session, site.now())
    session.commit()


def _tidy(site: Site) -> None:
    """Delete what has been kept long enough, and leave no trace of what is gone.

    Scrubbed is also on days without: somebody may have been erased while others were reading.
    """
    session = db.session()
    retention.tidy(session, site.keep(), site.now())
    printouts.forget(session, site.printed_since())
    messages.forget(session, site.keep().records_until(site.now()))
    session.commit()
    if not db.scrub():
        raise NotYet


def _open_programmes(site: Site) -> None:
    """Send what is ready; the programme's page says what is not, and a leader learns why."""
    session, opened = db.session(), 0
    for round_id in programmes.due(session, site.now()):
        if site.stopping.is_set():
            return
        if opened == ROUNDS_AT_ONCE:
            site.bell.ring("open programmes")
            return
        try:
            rounds.open_round(
                session,
                site.keyring,
                rounds.find(session, round_id),
                site.now(),
                rounds_a_person=site.settings.rounds_a_person,
            )
            session.commit()
            opened += 1
        except Refused:
            session.rollback()


def _open_pulses(site: Site) -> None:
    session = db.session()
    for pulse in pulses.due(session, site.today()):
        try:
            pulses.open_pulse(session, site.keyring, pulse, site.now(), site.settings.zone())
            session.commit()
        except RoundStarted:
            # Somebody else was faster.
            session.rollback()
        except Refused as refusal:
            session.rollback()
            log.error("a pulse was not sent: %s", for_log(refusal))


def _import(site: Site) -> None:
    """Carry out a piece of an import; committing it rings for the next one."""
    session = db.session()
    imports.go_on(session, site.now())
    session.commit()


def _print(site: Site) -> None:
    """Print a preview that is new; noting it rings for the next one."""
    if not site.settings.print_ahead:
        return
    from reports.pdf import preview_html

    session = db.session()
    release = printouts.claim(session, site.now(), site.printed_since())
    session.commit()
    if release is None:
        return
    round_id = release.round_id
    html = preview_html(previews.of(session, release))
    # While it is printed, others use the database.
    session.rollback()
    try:
        pdf = site.printer.print(html)
    except PrintFailed as failure:
        log.error("preview of round %s: %s", round_id, failure)
        printouts.give_up(session, round_id)
    else:
        printouts.keep(session, round_id, html, pdf)
    session.commit()


def _renew_enough(site: Site) -> None:
    session = db.session()
    for number, round_id in enumerate(rounds.to_renew(session, site.now())):
        if site.stopping.is_set():
            return
        if number == ROUNDS_AT_ONCE:
            site.bell.ring("renew enough")
            return
        rounds.renew_enough(session, rounds.find(session, round_id), site.now())
        # One by one: others want to write, too.
        session.commit()


def _find_leftovers(site: Site) -> None:
    custody.find_leftovers(db.session(), site.keyring)
    db.session().commit()


def clean_up(site: Site) -> None:
    """Destroy the keys of ended rounds, then leave nothing of them in the database's log.

    Interrupted anywhere, it is done again: a round's folder in the keyring is there until then.
    """
    session = db.session()
    ended = custody.destroy_keys(session, site.keyring)
    session.rollback()
    if ended and db.cut_log():
        for round_id in ended:
            custody.forget(session, site.keyring, round_id)
        session.commit()


def _tell(site: Site) -> None:
    if webhooks.deliver(site, db.session(), MESSAGES_AT_ONCE) == MESSAGES_AT_ONCE:
        site.bell.ring("tell")


def _deliver(site: Site) -> None:
    if deliver(site, db.session(), MAILS_AT_ONCE) == MAILS_AT_ONCE:
        # Not on and on: others wait for this worker.
        site.bell.ring("deliver")
