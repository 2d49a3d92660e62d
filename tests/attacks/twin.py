"""The twin: how surveys are usually stored, with every weakness that the attacks are made for.

Answers lie under random keys, apart from the names, and no row of one table
points to the other. That is not enough.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from tests.attacks.files import copy_postgresql, copy_sqlite, log_position, reading
from tests.attacks.loot import Copy, Loot, Paper, Participation, Rater
from tests.postgres import Cluster

SCHEMA = """
CREATE TABLE participation (number {serial}, name TEXT, answered_at TEXT);
CREATE TABLE answer (
    number {serial}, key TEXT, relationship TEXT, language TEXT, text TEXT, saved_at TEXT
);
CREATE TABLE box (key TEXT PRIMARY KEY, text TEXT) {without_rowid};
CREATE TABLE draft (key TEXT PRIMARY KEY, text TEXT);
CREATE TABLE outbox (number {serial}, name TEXT, about TEXT);
"""
KINDS = {
    "sqlite": {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "without_rowid": "WITHOUT ROWID"},
    "postgresql": {"serial": "SERIAL PRIMARY KEY", "without_rowid": ""},
}
PEOPLE = "SELECT {place}, {age}, number, name, answered_at FROM participation"
PAPERS = "SELECT {place}, {age}, number, key, relationship, language, text, saved_at FROM answer"
ANSWER = (
    "INSERT INTO participation (name, answered_at) VALUES (:name, :now)",
    "INSERT INTO answer (key, relationship, language, text, saved_at)"
    " VALUES (:key, :relationship, :language, :text, :now)",
    "INSERT INTO box VALUES (:boxed, :text)",
    "DELETE FROM draft WHERE key = :name",
    "INSERT INTO outbox (name, about) VALUES (:name, :key)",
)
# How much a seal adds to what it holds; it is the same for all.
SEAL = 48


class Twin:
    """A store that keeps answers as usual. A transaction is one answer, as in the product."""

    def __init__(
        self, url: str, folder: Path, cluster: Cluster | None, journal: str = "WAL"
    ) -> None:
        self.folder, self.cluster, self.journal = folder, cluster, journal
        (folder / "answers").mkdir(parents=True)
        url = url if cluster else f"sqlite:///{folder}/preview360.db"
        self.engine = sa.create_engine(url)
        self.since = log_position(self.engine) if cluster else ("", 0)

    def open(self, raters: Sequence[Rater]) -> None:
        """Make the tables anew."""
        kind = self.engine.dialect.name
        with self.engine.connect() as connection:
            if kind == "sqlite":
                connection.exec_driver_sql(f"PRAGMA journal_mode = {self.journal}")
                connection.exec_driver_sql("PRAGMA secure_delete = OFF")
            for statement in SCHEMA.format(**KINDS[kind]).split(";")[:-1]:
                connection.execute(sa.text(statement))
            connection.commit()

    def draft(self, rater: Rater, text: str) -> None:
        """Keep what is typed until it is sent."""
        with self.engine.begin() as connection:
            statement = sa.text("INSERT INTO draft VALUES (:key, :text)")
            connection.execute(statement, {"key": rater.name, "text": text})

    def answer(self, rater: Rater, text: str) -> None:
        """Note the name, store the answer, drop the draft, thank the rater."""
        key = secrets.token_hex(8)
        stored = {
            "name": rater.name,
            "key": key,
            "boxed": secrets.token_hex(8),
            "relationship": rater.relationship,
            "language": rater.language,
            "text": text,
            "now": datetime.now(UTC).isoformat(),
        }
        with self.engine.begin() as connection:
            for statement in ANSWER:
                connection.execute(sa.text(statement), stored)
        (self.folder / "answers" / f"{key}.txt").write_text(text, encoding="utf-8")

    def close(self) -> tuple[str, ...]:
        """Print the comments as they lie, and drop what was typed and not sent."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM draft"))
            return tuple(connection.scalars(sa.text("SELECT text FROM answer")))

    def copy(self, *, whole: bool) -> Copy:
        """Take a backup; a whole one has the files and the dump as well."""
        with self.engine.connect() as connection:
            copy = read(connection)
        if not whole:
            return copy
        to = self.folder / f"copy{len(list(self.folder.iterdir()))}"
        if self.cluster:
            files, dump = copy_postgresql(self.cluster, self.engine, self.since)
        else:
            files, dump = copy_sqlite(self.folder, to)
        written = tuple(
            (file.stat().st_mtime_ns, file.read_text(encoding="utf-8"))
            for file in (self.folder / "answers").iterdir()
        )
        return replace(copy, files=files, dump=dump, written=written, folder=to, read=read_folder)

    def forget(self) -> None:
        """Close the connections, so that the next twin finds nothing."""
        if self.cluster:
            with self.engine.begin() as connection:
                for table in ("participation", "answer", "box", "draft", "outbox"):
                    connection.execute(sa.text(f"DROP TABLE {table}"))
        self.engine.dispose()


class WithoutRowid(Twin):
    """The same, but its papers are those of a table without row numbers."""

    def copy(self, *, whole: bool) -> Copy:
        """Take a backup."""
        with self.engine.connect() as connection:
            boxed = connection.execute(sa.text("SELECT key, text FROM box"))
            papers = tuple(Paper((row.key.encode(),), (0,), text=row.text) for row in boxed)
        return replace(super().copy(whole=whole), papers=papers)


def unpadded(loot: Loot) -> Loot:
    """Return the loot of a twin that seals its papers, each as long as what is in it."""
    papers = tuple(
        Paper(paper.marks, paper.place, paper.age, size=paper.size + SEAL)
        for paper in loot.last.papers
    )
    return replace(loot, nights=(*loot.nights[:-1], replace(loot.last, papers=papers)))


def read_folder(folder: Path) -> Copy:
    """Read a copy of a SQLite twin's files."""
    with reading(folder) as connection:
        return read(connection)


def read(connection: sa.Connection) -> Copy:
    """Read the twin's rows, with what the database adds to them."""
    kind = connection.dialect.name
    where = (
        {"place": "rowid", "age": "0"}
        if kind == "sqlite"
        else {"place": "ctid::text", "age": "xmin::text"}
    )
    people = [
        Participation(
            marks=(row.name.encode(),),
            place=place(row[0]),
            age=int(row[1]),
            number=row.number,
            stamp=row.answered_at,
            name=row.name,
        )
        for row in connection.execute(sa.text(PEOPLE.format(**where)))
    ]
    papers = [
        Paper(
            marks=(row.key.encode(),),
            place=place(row[0]),
            age=int(row[1]),
            number=row.number,
            stamp=row.saved_at,
            text=row.text,
            size=len(row.text.encode()),
            relationship=row.relationship,
            language=row.language,
        )
        for row in connection.execute(sa.text(PAPERS.format(**where)))
    ]
    outbox = connection.execute(sa.text("SELECT name, about FROM outbox ORDER BY number"))
    return Copy(
        people=tuple(people),
        papers=tuple(papers),
        outbox=tuple((row.name, row.about.encode()) for row in outbox),
    )


def place(told: object) -> tuple[int, ...]:
    """Return a rowid, or a ctid such as (0,12), as numbers to sort by."""
    return tuple(int(part) for part in str(told).strip("()").split(","))
