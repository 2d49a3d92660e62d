"""Backups as a curious administrator makes them: the database's files, and its dump."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.postgres import Cluster

# The main file as it is once the log has been brought into it.
MERGED = "merged"
SQLITE_FILES = ("preview360.db", "preview360.db-wal", "preview360.db-journal")


def copy_sqlite(folder: Path, to: Path) -> tuple[Mapping[str, bytes], str]:
    """Copy a database's files, and return their bytes and the database's dump."""
    to.mkdir()
    for name in SQLITE_FILES:
        if (folder / name).exists():
            shutil.copy(folder / name, to)
    files = {file.name: file.read_bytes() for file in to.iterdir()}
    with tempfile.TemporaryDirectory() as name:
        for file in to.iterdir():
            shutil.copy(file, name)
        connection = sqlite3.connect(f"{name}/preview360.db")
        dump = "\n".join(connection.iterdump())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        files[MERGED] = Path(f"{name}/preview360.db").read_bytes()
    return files, dump


@contextmanager
def reading(folder: Path) -> Iterator[sa.Connection]:
    """Read a copied SQLite database as it lies in a folder, changing nothing."""
    engine = sa.create_engine(
        f"sqlite:///file:{folder}/preview360.db?mode=ro&uri=true", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        yield connection


def log_position(engine: sa.Engine) -> tuple[str, int]:
    """Return the file that PostgreSQL's log has reached, and how far in it."""
    query = "SELECT * FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
    with engine.connect() as connection:
        name, offset = connection.execute(sa.text(query)).one()
    return name, offset


def copy_postgresql(
    cluster: Cluster, engine: sa.Engine, since: tuple[str, int]
) -> tuple[Mapping[str, bytes], str]:
    """Return the bytes of all heap files and of the log since a position, and the dump."""
    query = """
        SELECT pg_relation_filepath(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN ('public', 'pg_toast') AND relkind IN ('r', 't')
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CHECKPOINT"))
        paths = list(connection.scalars(sa.text(query)))
    files = {
        "heap": b"".join((cluster.data / path).read_bytes() for path in paths),
        "pg_wal": _log(cluster.data / "pg_wal", since, log_position(engine)),
    }
    return files, cluster.dump(engine.url.render_as_string(hide_password=False))


def _log(folder: Path, since: tuple[str, int], upto: tuple[str, int]) -> bytes:
    """Return the log between two positions; files with later names are old ones, to be reused."""
    log = b""
    for file in sorted(folder.glob("0*")):
        if since[0] <= file.name <= upto[0]:
            content = file.read_bytes()
            start = since[1] if file.name == since[0] else 0
            log += content[start : upto[1] if file.name == upto[0] else None]
    return log
