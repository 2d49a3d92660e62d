"""The worker does what is due, and one bad thing does not stop the rest."""

import threading
import time

from sqlalchemy import select, text

from survey import jobs
from survey.models import Ballot, Release, Round, RoundState
from tests import factories
from tests.conftest import CLOSES


def test_a_sweep_closes_what_is_due_and_tells_the_leader(app, session, keyring, catcher, clock):
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    session.close()
    clock.now = CLOSES
    jobs.sweep(app)

    assert session.get(Round, round_.id).state is RoundState.RELEASED
    assert keyring.rounds() == []
    assert [mail["Subject"] for mail in catcher.mails] == ["Your preview is ready"]


def test_a_round_that_cannot_close_keeps_no_other_from_closing(app, session, keyring, clock):
    broken = factories.opened(session, keyring)
    factories.all_answer(session, keyring, broken)
    good = factories.opened(session, keyring, leader=factories.person(session, "Sam", "leader"))
    factories.all_answer(session, keyring, good)
    session.delete(session.scalars(select(Ballot).where(Ballot.round_id == broken.id)).first())
    session.commit()
    session.close()
    clock.now = CLOSES
    jobs.sweep(app)

    assert session.scalars(select(Release.round_id)).all() == [good.id]
    assert keyring.rounds() == [broken.id]


def test_nothing_of_a_closed_rounds_ballots_is_left_in_the_files(
    app, session, keyring, settings, clock
):
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    sealed = session.scalars(select(Ballot.sealed)).all()
    session.close()
    files = settings.database_file().parent

    def left() -> int:
        content = b"".join(path.read_bytes() for path in files.iterdir())
        return sum(each[:64] in content for each in sealed)

    assert left() == 11
    clock.now = CLOSES
    jobs.sweep(app)
    assert left() == 0


def test_the_worker_goes_on_after_what_nobody_expected(app, session, keyring, catcher, caplog):
    """A worker that died of one thing would leave all mails and rounds lying."""
    factories.opened(session, keyring, roster={"peer": 3})
    session.execute(text("ALTER TABLE mail RENAME TO mail_elsewhere"))
    session.commit()
    session.close()
    stop = threading.Event()
    worker = threading.Thread(target=jobs.run, args=(app, stop, 0.01))
    worker.start()
    try:
        wait_until(lambda: "no such table: mail" in caplog.text)
        session.execute(text("ALTER TABLE mail_elsewhere RENAME TO mail"))
        session.commit()
        wait_until(lambda: len(catcher.mails) == 4)
    finally:
        stop.set()
        worker.join()


def wait_until(so) -> None:
    for _ in range(500):
        if so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")
