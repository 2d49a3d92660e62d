"""The worker does what is due, and one bad thing does not stop the rest."""

import shutil
import sqlite3
import threading
import time
from datetime import timedelta

import flask_migrate
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from survey import create_app, db, jobs, sealing
from survey.envelope import ballot_purpose
from survey.keyring import Keyring
from survey.models import Ballot, Release, Round, RoundState
from survey.services import closing, custody, rounds
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, installation, on_sqlite
from tests.visitor import Visitor


def answered(session: Session, keyring: Keyring) -> tuple[Round, list[bytes]]:
    """A round in which all have answered, and its sealed ballots."""
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    sealed = list(session.scalars(select(Ballot.sealed)))
    session.close()
    return round_, sealed


def still_there(sealed: list[bytes], content: bytes) -> list[bytes]:
    """Which sealed ballots stand in what is stored, by their first bytes or in hex."""
    return [each for each in sealed if each[:64] in content or each[:64].hex().encode() in content]


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
    assert keyring.ballot_key(broken.id)


def test_nothing_of_a_closed_rounds_ballots_is_left(app, session, keyring, stored, clock):
    _, sealed = answered(session, keyring)
    assert len(still_there(sealed, stored())) == 11

    clock.now = CLOSES
    jobs.sweep(app)
    assert still_there(sealed, stored()) == []


@on_sqlite
def test_traces_are_cleaned_up_although_the_first_try_was_cut_short(
    app, session, keyring, settings, stored, clock
):
    """Killed between destroying the keys and scrubbing, or somebody was reading just then."""
    round_, sealed = answered(session, keyring)
    with app.app_context():
        closing.close(db.session(), keyring, round_.id, CLOSES)
        db.session().commit()
        custody.destroy_keys(db.session(), keyring)
        db.session().rollback()
    assert len(still_there(sealed, stored())) == 11

    reader = sqlite3.connect(settings.database_file())
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM person").fetchone()
    jobs.sweep(app)
    assert len(still_there(sealed, stored())) == 11
    reader.close()
    jobs.sweep(app)
    assert still_there(sealed, stored()) == []
    assert keyring.rounds() == []


def test_keys_that_a_restored_keyring_brings_back_are_destroyed_again(
    app, session, keyring, clock, tmp_path
):
    answered(session, keyring)
    copy = shutil.copytree(keyring.path, tmp_path / "copy")
    clock.now = CLOSES
    jobs.sweep(app)
    assert keyring.rounds() == keyring.ballot_keys() == []

    shutil.copytree(copy, keyring.path, dirs_exist_ok=True)
    with app.app_context():
        # Looking among what has ended lately finds nothing.
        jobs.clean_up(app.extensions[EXTENSION])
    assert keyring.rounds()
    jobs.sweep(app)
    assert keyring.rounds() == []


def test_a_round_ended_on_the_page_leaves_no_traces_either(app, session, keyring, stored):
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    sealed = session.scalars(select(Ballot.sealed)).all()
    visitor = Visitor(app, round_.leader)
    session.close()
    visitor.open(f"/rounds/{round_.id}")
    visitor.send(action="/void")
    jobs.sweep(app)

    assert still_there(sealed, stored()) == []
    assert keyring.rounds() == []


def test_another_database_leaves_the_keyring_alone(app, session, keyring, settings, tmp_path):
    """One wrong setting, or a restored backup, must not cost every open round its keys."""
    round_ = factories.opened(session, keyring)
    session.close()
    other = installation(tmp_path / "other", keyring=settings.keyring)
    elsewhere = create_app(other, config={"TESTING": True})
    with elsewhere.app_context():
        flask_migrate.upgrade()
    jobs.sweep(elsewhere)
    with elsewhere.app_context():
        db.db.engine.dispose()

    assert keyring.ballot_key(round_.id)


def test_with_too_few_answers_a_round_ends_after_a_fortnight_and_the_leader_is_told(
    app, session, keyring, clock, catcher
):
    round_ = factories.opened(session, keyring)
    session.close()
    clock.now = CLOSES
    jobs.sweep(app)
    assert session.get(Round, round_.id).state is RoundState.OPEN
    session.close()

    clock.forward(days=14)
    jobs.sweep(app)
    assert session.get(Round, round_.id).state is RoundState.VOID
    assert "ended without a preview" in catcher.text_to("robin@example.org")


def test_a_round_whose_keys_cannot_be_reached_is_kept_however_late(app, session, keyring, clock):
    """The disk with the keyring was away for two weeks: everybody had answered."""
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    session.close()
    away = keyring.path.rename(keyring.path.with_name("elsewhere"))
    clock.now = CLOSES + timedelta(days=15)
    jobs.sweep(app)
    assert session.get(Round, round_.id).state is RoundState.OPEN
    session.close()

    away.rename(keyring.path)
    clock.forward(minutes=10)
    jobs.sweep(app)
    assert session.get(Round, round_.id).state is RoundState.RELEASED


def test_a_ballot_that_holds_no_answers_stops_nothing_else(app, session, keyring, clock, catcher):
    """Somebody who can write to the database and found the public key can seal anything."""
    broken = factories.opened(session, keyring)
    factories.all_answer(session, keyring, broken)
    good = factories.opened(session, keyring, leader=factories.person(session, "Sam", "leader"))
    factories.all_answer(session, keyring, good)
    ballot = session.scalars(select(Ballot).where(Ballot.round_id == broken.id)).first()
    public = keyring.round_keys(broken.id).ballot
    content = sealing.padded(b"[1, 2", broken.ballot_size)
    ballot.sealed = sealing.seal(public, content, ballot_purpose(broken.id))
    session.commit()
    session.close()
    clock.now = CLOSES
    jobs.sweep(app)

    assert session.scalars(select(Release.round_id)).all() == [good.id]
    assert "Your preview is ready" in [mail["Subject"] for mail in catcher.mails]


def test_the_worker_goes_on_after_what_nobody_expected(
    app, session, keyring, catcher, caplog, monkeypatch
):
    """A worker that died of one thing would leave all mails and rounds lying."""
    factories.opened(session, keyring, roster={"peer": 3})
    session.close()

    words = " ".join(["what", "somebody", "typed"])

    def broken(_session, _now):
        raise RuntimeError(words)

    monkeypatch.setattr(rounds, "due", broken)
    jobs.sweep(app)

    assert len(catcher.mails) == 4
    assert "close: RuntimeError" in caplog.text
    assert "what somebody typed" not in caplog.text


@pytest.mark.parametrize(
    ("table", "said"), [("mail", "deliver: "), ("schedule", "no work could be done: ")]
)
def test_the_worker_waits_for_a_database_that_is_away(
    app, session, keyring, catcher, caplog, clock, table, said
):
    factories.opened(session, keyring, roster={"peer": 3})
    session.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    session.commit()
    session.close()
    worker = threading.Thread(target=jobs.run, args=(app, 0.01))
    worker.start()
    try:
        wait_until(lambda: said in caplog.text)
        session.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))
        session.commit()
        clock.forward(seconds=5)
        wait_until(lambda: len(catcher.mails) == 4)
    finally:
        app.extensions[EXTENSION].stopping.set()
        worker.join()


def test_a_worker_that_is_to_stop_begins_neither_a_mail_nor_a_close(
    app, session, keyring, catcher, clock
):
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    session.close()
    clock.now = CLOSES
    app.extensions[EXTENSION].stopping.set()
    jobs.sweep(app)

    assert catcher.mails == []
    assert session.get_one(Round, round_.id).state is RoundState.OPEN
    session.close()
    app.extensions[EXTENSION].stopping.clear()
    jobs.sweep(app)
    assert catcher.mails != []
    assert session.get_one(Round, round_.id).state is RoundState.RELEASED


def wait_until(so) -> None:
    for _ in range(500):
        if so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")
