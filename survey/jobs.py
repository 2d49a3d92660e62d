"""Work that nobody waits for: mails, closing days, leftover keys.

`sweep` does whatever is due and can be run by as many processes as one likes,
as often as one likes; rows in the database say what is to be done.
"""

from __future__ import annotations

import logging
import threading

from flask import Flask
from sqlalchemy.exc import OperationalError

from survey import db
from survey.errors import Refused
from survey.mail import deliver
from survey.models import Round
from survey.services import closing, rounds
from survey.services.closing import NotDue, TooFewAnswers
from survey.site import Site, site

log = logging.getLogger(__name__)
SECONDS_BETWEEN = 5.0


def sweep(app: Flask) -> None:
    """Do everything that is due now; what fails is tried again the next time."""
    with app.app_context():
        for task in (_close_due, _end_abandoned, _renew_enough, _destroy_keys, _deliver):
            try:
                task(site())
            except (Refused, OperationalError) as error:
                # Only the database's own words: a statement would hold what was stored.
                log.error("%s: %s", task.__name__, getattr(error, "orig", error))
            finally:
                db.session().rollback()


def run(app: Flask, stop: threading.Event, seconds: float = SECONDS_BETWEEN) -> None:
    """Sweep again and again until asked to stop, whatever happens in between."""
    while not stop.wait(seconds):
        try:
            sweep(app)
        except Exception:
            # A worker that died of one bad row would leave all other mails and rounds lying.
            log.exception("a sweep failed; the next one tries again")


def _close_due(site: Site) -> None:
    session = db.session()
    for round_id in rounds.due(session, site.now()):
        session.rollback()
        try:
            closing.close(session, site.keyring, round_id, site.now())
            session.commit()
        except (NotDue, TooFewAnswers):
            # Somebody else was faster, or the leader may still move the closing day.
            session.rollback()
        except Refused as error:
            session.rollback()
            log.error("round %s was not closed: %s", round_id, error)


def _end_abandoned(site: Site) -> None:
    session = db.session()
    for round_id in rounds.due(session, site.now() - rounds.PATIENCE):
        rounds.void(session, session.get_one(Round, round_id), site.now())
        session.commit()


def _renew_enough(site: Site) -> None:
    session = db.session()
    for round_ in rounds.to_renew(session, site.now()):
        rounds.renew_enough(session, round_, site.now())
    session.commit()


def _destroy_keys(site: Site) -> None:
    session = db.session()
    destroyed = closing.destroy_keys(session, site.keyring)
    session.rollback()
    if destroyed:
        db.scrub()


def _deliver(site: Site) -> None:
    deliver(site, db.session())
