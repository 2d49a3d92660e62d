"""Reading changes nothing, and writers wait for one another instead of losing updates."""

import sqlite3
import time
from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from survey import db
from survey.access import allow
from survey.errors import for_log
from survey.models import Person, SignInCode
from tests import factories
from tests.conftest import NOW, on_sqlite
from tests.launching import at_once


def test_a_page_that_is_only_read_cannot_write(app, session):
    factories.person(session, "Robin")
    session.commit()

    @app.get("/spoil")
    @app.post("/change")
    @allow("anybody")
    def spoil() -> str:
        db.session().execute(sa.update(Person).values(name="Spoilt"))
        db.session().commit()
        return "done"

    app.config["WTF_CSRF_ENABLED"] = False
    assert app.test_client().get("/spoil").status_code == 503
    assert app.test_client().head("/spoil").status_code == 503
    session.rollback()
    assert session.scalar(sa.select(Person.name)) == "Robin Example"
    session.rollback()

    assert app.test_client().post("/change").status_code == 200
    session.rollback()
    assert session.scalar(sa.select(Person.name)) == "Spoilt"


def count_up(connect, times: int) -> int:
    """Let four writers read a number and write one more, and return where they end."""

    def write() -> None:
        for _ in range(times):
            connect()

    at_once([write] * 4)
    return 4 * times


@on_sqlite
def test_concurrent_updates_are_not_lost(app, session, tmp_path):
    factories.person(session, "Robin").name = "0"
    session.commit()

    def one_more() -> None:
        with app.app_context():
            person = db.session().scalars(sa.select(Person)).one()
            person.name = str(int(person.name) + 1)
            db.session().commit()

    assert count_up(one_more, times=25) == int(fresh_name(app))


def fresh_name(app) -> str:
    with app.app_context():
        return db.session().scalars(sa.select(Person.name)).one()


def test_pythons_own_transactions_lose_updates(tmp_path):
    """What the test above would find without `BEGIN IMMEDIATE`."""
    file = tmp_path / "usual.db"
    with sqlite3.connect(file) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE counter (n INTEGER)")
        made.execute("INSERT INTO counter VALUES (0)")

    def one_more() -> None:
        connection = sqlite3.connect(file, timeout=15)
        n = connection.execute("SELECT n FROM counter").fetchone()[0]
        connection.execute("UPDATE counter SET n = ?", (n + 1,))
        connection.commit()
        connection.close()

    wanted = count_up(one_more, times=100)

    assert sqlite3.connect(file).execute("SELECT n FROM counter").fetchone()[0] < wanted


def test_foreign_keys_are_checked(session):
    with pytest.raises(sa.exc.IntegrityError):
        nobody = uuid4()
        code = {"browser": b"b", "digest": b"d", "expires_at": NOW, "attempts_left": 1}
        session.add(SignInCode(person_id=nobody, **code))
        session.commit()


def test_what_a_log_says_of_an_error_holds_no_values(session):
    """Of what goes into a log: the value may be what a rater typed, and PostgreSQL quotes it."""
    with pytest.raises((OperationalError, sa.exc.IntegrityError)) as error:
        session.execute(
            sa.text("INSERT INTO person (name) VALUES (:name)"), {"name": "secret words"}
        )

    assert "secret words" not in for_log(error.value)


@on_sqlite
def test_scrubbing_leaves_nothing_of_deleted_rows_in_the_files(app_context, session, settings):
    files = settings.database_file().parent

    def holds(words: bytes) -> bool:
        return any(words in path.read_bytes() for path in files.iterdir())

    person = factories.person(session, "Unmistakable")
    session.commit()
    session.delete(person)
    session.execute(sa.text("DELETE FROM audit_entry"))
    session.commit()
    session.close()
    assert holds(b"Unmistakable")

    db.scrub()
    assert not holds(b"Unmistakable")


@on_sqlite
def test_closing_the_log_leaves_nothing_of_deleted_rows_without_writing_the_file_anew(
    app_context, session, settings
):
    factories.person(session, "Unmistakable")
    session.execute(sa.text("DELETE FROM audit_entry"))
    session.commit()
    session.delete(session.scalars(sa.select(Person)).one())
    session.commit()
    session.close()
    file = settings.database_file()
    size = file.stat().st_size
    assert any(b"Unmistakable" in each.read_bytes() for each in file.parent.iterdir())

    assert db.cut_log()
    assert not any(b"Unmistakable" in each.read_bytes() for each in file.parent.iterdir())
    assert file.stat().st_size >= size


@on_sqlite
def test_whoever_waits_to_write_is_let_in_once_a_transaction_is_over_however_it_ends(app):
    """Committed, rolled back, refused by SQLite, or its connection lost."""
    wait = sa.text("PRAGMA busy_timeout = 10")

    def write(end):
        with app.app_context(), db.db.engine.connect() as connection:
            connection.execute(wait)
            end(connection)

    def refused(connection):
        with pytest.raises(OperationalError):
            connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))

    ends = [sa.Connection.commit, sa.Connection.rollback, refused, sa.Connection.invalidate]
    began = time.monotonic()
    at_once([partial(write, end) for end in ends * 5])
    assert time.monotonic() - began < db.BUSY_MILLISECONDS / 1000
