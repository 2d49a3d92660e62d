"""The database: one session a request, and pages that are only read change nothing.

While a GET or HEAD is answered the database itself refuses to write, so that
no mail scanner or preloading browser can spend a link.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import Session

from survey.errors import Refused, marked
from survey.fair_lock import FairLock
from survey.models import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


class DatabaseUnusable(Refused):
    """There is no place for the database file."""

    message = marked("The database's folder %(folder)s cannot be made: %(reason)s.")


log = logging.getLogger(__name__)
READ_ONLY = "preview360_read_only"
WRITES = "preview360_writes"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
WITHOUT_DATABASE = (None, "static", "health.alive", "health.ready")
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MILLISECONDS = 15_000
SCRUB_MILLISECONDS = 1_000
CUT_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"


def init_app(app: Flask) -> None:
    """Connect the application to its database."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            if db.engine.url.database:
                _make_folder(Path(db.engine.url.database).parent)
            _let_take_turns(db.engine)
    app.before_request(_read_only_while_reading)


@cache
def _newest() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def is_up_to_date() -> bool:
    """Say whether the database is of this program's version."""
    # Marked as reading, so that on SQLite it does not wait for those who write.
    with db.engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return MigrationContext.configure(connection).get_current_revision() == _newest()


def versions() -> set[str]:
    """Return which versions of the database this program knows."""
    return {each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


@contextmanager
def engine(app: Flask, *, upgraded: bool = False) -> Iterator[sa.Engine]:
    """Give the engine of an application's database, brought to this version if that is asked."""
    with app.app_context():
        try:
            if upgraded:
                flask_migrate.upgrade()
            yield db.engine
        finally:
            db.engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(folder=folder, reason=error.strerror) from error


def session() -> Session:
    """Return this request's session."""
    return db.session()


def forget_session() -> None:
    """Drop this request's or job's session, whatever state it is in."""
    db.session.remove()


def _read_only_while_reading() -> None:
    if request.method in SAFE_METHODS and request.endpoint not in WITHOUT_DATABASE:
        db.session.connection(execution_options={READ_ONLY: True, "postgresql_readonly": True})


def _let_take_turns(engine: sa.Engine) -> None:
    """Let the threads of this process write one after the other, whoever came first."""
    turns = FairLock()

    def begin(connection: sa.Connection) -> None:
        reading = bool(connection.get_execution_options().get(READ_ONLY))
        waits = not reading and WRITES not in connection.info
        # Where nobody gives way for so long, SQLite says what is wrong.
        if waits and turns.acquire(BUSY_MILLISECONDS / 1000):
            connection.info[WRITES] = turns
        _begin_sqlite(connection, reading=reading)

    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", _give_way)


def _give_way(_connection: sqlite3.Connection | None, record: Any) -> None:
    """Let the next one write: a connection comes back once its transaction is over."""
    turns = record.info.pop(WRITES, None)
    if turns is not None:
        turns.release()


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's own transactions begin too late and lose updates; `_begin_sqlite` begins them.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection, *, reading: bool) -> None:
    """Begin so that a transaction that writes holds the lock from its first read on."""
    connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def scrub() -> bool:
    """Leave no trace of deleted rows in a SQLite file; other databases do it in their own time.

    What was sealed is noise once its key is destroyed; who answered is not. Return
    False if it could not be done now, most often since somebody was still reading.
    """
    return _on_the_files("VACUUM", CUT_LOG)


def cut_log() -> bool:
    """Leave nothing of deleted rows in a SQLite file's log; in the file SQLite overwrites them.

    It takes as long however much is stored. What moved about in the file before it was
    deleted can have left a copy behind, very seldom: `scrub` finds that, too. Return False
    if it could not be done now, as `scrub`.
    """
    return _on_the_files(CUT_LOG)


def _on_the_files(*commands: str) -> bool:
    """Do what a SQLite file needs outside of transactions; say whether nobody was in the way."""
    if db.engine.dialect.name != "sqlite":
        return True
    pooled = db.engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        connection.execute("PRAGMA query_only = 0")
        connection.execute(f"PRAGMA busy_timeout = {SCRUB_MILLISECONDS}")
        answers = [connection.execute(command).fetchone() for command in commands]
    except sqlite3.OperationalError as error:
        log.warning("the database's files could not be scrubbed yet: %s", error)
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        pooled.close()
    [busy, _, _] = answers[-1]
    return not busy
