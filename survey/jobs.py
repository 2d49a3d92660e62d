"""Work that nobody waits for: mails, closing days, keys to make and to destroy.

`sweep` does whatever is due on this side and can be run by as many processes as
one likes, as often as one likes; rows in the database say what is to be done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session

from survey import db
from survey.errors import Refused, for_log
from survey.keyring import KeyringUnusable, Side
from survey.mail import deliver
from survey.models import Round
from survey.services import (
    closing,
    coaching,
    custody,
    programmes,
    pulses,
    retention,
    rounds,
    trustees,
)
from survey.services.closing import NotDue, TooFewAnswers, TrusteeNeeded
from survey.services.rounds import RoundStarted
from survey.site import Site, site

log = logging.getLogger(__name__)
SECONDS_BETWEEN = 5.0
BEFORE_CLOSING_AGAIN = timedelta(minutes=10)


def sweep(app: Flask) -> None:
    """Do everything that is due now; what fails is tried again the next time."""
    with app.app_context():
        for task in _tasks(site().keyring.side):
            try:
                task(site())
                db.session().rollback()
            except Exception as error:
                # A worker that died of one thing would leave all other mails and rounds lying.
                log.error("%s: %s", task.__name__, for_log(error))
                db.forget_session()


def _tasks(side: Side) -> list[Callable[[Site], None]]:
    """Return what this side has to do; keys are only made ahead for another side to take."""
    tasks: list[Callable[[Site], None]] = []
    if side is Side.CLOSING:
        tasks.append(_restock)
    if side.closes:
        tasks.append(_close_due)
    if side.serves:
        tasks += [_renew_enough, _hand_over, _open_programmes, _open_pulses]
    if side.serves:
        tasks.append(_tidy)
    tasks.append(clean_up)
    if side.serves:
        tasks.append(_deliver)
    return tasks


def run(app: Flask, stop: threading.Event, seconds: float = SECONDS_BETWEEN) -> None:
    """Sweep again and again until asked to stop."""
    while not stop.wait(seconds):
        sweep(app)


def _restock(site: Site) -> None:
    session = db.session()
    while custody.restock(session, site.keyring):
        session.commit()


def _close_due(site: Site) -> None:
    session = db.session()
    for round_id in rounds.due(session, site.now()):
        session.rollback()
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
    """Delete what has been kept long enough, once a day, and leave no trace of what is gone.

    Scrubbed is also on days without: somebody may have been erased while others were reading.
    """
    if site.tidied_on == site.today():
        return
    session = db.session()
    retention.tidy(session, site.keep(), site.now())
    session.commit()
    if db.scrub():
        site.tidied_on = site.today()


def _open_programmes(site: Site) -> None:
    """Send what is ready; the programme's page says what is not, and a leader learns why."""
    session = db.session()
    for round_ in programmes.due(session, site.now()):
        try:
            rounds.open_round(
                session,
                site.keyring,
                round_,
                site.now(),
                rounds_a_person=site.settings.rounds_a_person,
            )
            session.commit()
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


def _renew_enough(site: Site) -> None:
    session = db.session()
    for round_ in rounds.to_renew(session, site.now()):
        rounds.renew_enough(session, round_, site.now())
    session.commit()


def clean_up(site: Site) -> None:
    """Destroy the keys of ended rounds, then leave no trace of them in the database's files.

    Interrupted anywhere, it is done again: a round's folder in the keyring is there until then.
    """
    session = db.session()
    ended = custody.destroy_keys(session, site.keyring)
    session.rollback()
    if ended and db.scrub():
        for round_id in ended:
            custody.forget(session, site.keyring, round_id)
        session.commit()


def _deliver(site: Site) -> None:
    deliver(site, db.session())
