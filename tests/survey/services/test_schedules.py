"""Work that comes again is done once, however many workers there are."""

from datetime import timedelta

from sqlalchemy.orm import Session

from survey import db
from survey.services import schedules
from tests.conftest import NOW, on_sqlite
from tests.launching import at_once

PERIODS = {"often": timedelta(seconds=5), "daily": timedelta(days=1)}


def test_of_many_workers_one_takes_a_turn(app):
    """On both databases; a worker that vanished with the daily work is not waited for all day."""
    with app.app_context():
        engine = db.db.engine
    taken = []

    def worker():
        with Session(engine) as session:
            taken.extend(schedules.take(session, PERIODS, NOW))
            session.commit()

    at_once([worker] * 8)
    assert sorted(taken) == ["daily", "often"]

    def due(now):
        with Session(engine) as session:
            found = schedules.take(session, PERIODS, now)
            session.commit()
        return sorted(found)

    assert due(NOW + timedelta(seconds=4)) == []
    assert due(NOW + timedelta(seconds=5)) == ["often"]
    assert due(NOW + timedelta(minutes=10)) == ["daily", "often"]
    with Session(engine) as session:
        schedules.done(session, "daily", PERIODS["daily"], NOW + timedelta(minutes=11))
        session.commit()
    assert due(NOW + timedelta(hours=24)) == ["often"]
    assert due(NOW + timedelta(hours=24, minutes=11)) == ["daily", "often"]


@on_sqlite
def test_a_clock_that_ran_ahead_does_not_stop_the_work(app, session):
    assert len(schedules.take(session, PERIODS, NOW + timedelta(days=4000))) == 2
    assert len(schedules.take(session, PERIODS, NOW)) == 2
