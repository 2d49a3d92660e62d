"""The product as a store to attack: real services, a real database, and copies of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from reports.release import Release as Document
from survey import jobs
from survey.answers import Draft
from survey.config import Settings
from survey.envelope import ballot_purpose
from survey.keyring import Keyring
from survey.models import (
    Answered,
    Ballot,
    Invitation,
    Mail,
    MailKind,
    Nomination,
    Person,
    Release,
)
from survey.sealing import from_token, read_link
from survey.services import ballots, closing
from survey.site import EXTENSION
from tests import factories
from tests.attacks.files import MERGED, copy_postgresql, copy_sqlite, log_position, reading
from tests.attacks.loot import Copy, Loot, Paper, Participation, Rater
from tests.attacks.story import ROSTER
from tests.attacks.twin import place
from tests.conftest import CLOSES, NOW
from tests.postgres import Cluster

PROMPT, OTHER_PROMPT = "OP1", "OP2"


class Product:
    """One round of an installation."""

    def __init__(
        self, app: Flask, session: Session, number: str, folder: Path, cluster: Cluster | None
    ) -> None:
        self.app, self.session, self.number = app, session, number
        self.folder, self.cluster = folder, cluster
        self.site = app.extensions[EXTENSION]
        self.engine: sa.Engine = session.get_bind()  # type: ignore[assignment]
        self.since = log_position(self.engine) if cluster else ("", 0)

    @property
    def keyring(self) -> Keyring:
        keyring: Keyring = self.site.keyring
        return keyring

    def open(self, raters: Sequence[Rater]) -> None:
        """Ask these raters for a leader of this round's own."""
        leader = factories.person(self.session, f"Leader{self.number}", "leader")
        round_ = factories.opened(self.session, self.keyring, leader=leader, roster=ROSTER)
        self.round_id = round_.id
        links = factories.links(self.session, self.keyring, round_)
        self.keys = self._secrets()
        self.purpose = ballot_purpose(round_.id)
        self.links = {f"{name} Example": link for name, link in links.items()}
        pepper = self.keyring.round_keys(round_.id).pepper
        self.handles = {
            name: from_token(token, pepper).handle
            for name, link in self.links.items()
            for _, token in [read_link(link) or (None, b"")]
        }

    def draft(self, rater: Rater, text: str) -> None:
        """Type into a page of the form, and save it."""
        known = ballots.rater(self.session, self.keyring, self.links[rater.name], NOW)
        ballots.start(self.session, known)
        ballots.save(self.session, known, Draft(words={OTHER_PROMPT: (text,)}))
        self.session.commit()

    def answer(self, rater: Rater, text: str) -> None:
        """Take back what was typed, answer, and send."""
        words = {PROMPT: (text,), OTHER_PROMPT: ("",)}
        factories.answer(self.session, self.keyring, self.links[rater.name], words=words)

    def close(self) -> tuple[str, ...]:
        """Close the round and return its comments as they are printed."""
        closing.close(self.session, self.keyring, self.round_id, CLOSES)
        release = self.session.get_one(Release, self.round_id)
        self.session.commit()
        with self.app.app_context():
            jobs.clean_up(self.site)
        [comments] = [
            group
            for group in Document.model_validate_json(release.document).comments
            if group.prompt == PROMPT
        ]
        return comments.texts

    def copy(self, *, whole: bool) -> Copy:
        """Take a backup; a whole one has the files and the dump as well."""
        copy = _read(self.session.connection(), self.round_id)
        self.session.rollback()
        if not whole:
            return copy
        settings: Settings = self.site.settings
        to = self.folder / f"copy{len(list(self.folder.iterdir()))}"
        if self.cluster:
            files, dump = copy_postgresql(self.cluster, self.engine, self.since)
        else:
            file = settings.database_file()
            assert file is not None
            files, dump = copy_sqlite(file.parent, to)
        if copy.papers:
            # What is searched for leaks does hold the ballots.
            log = files["pg_wal" if self.cluster else "preview360.db-wal"]
            for content in (dump.encode(), files["heap" if self.cluster else MERGED], log):
                assert any(mark in content for paper in copy.papers for mark in paper.marks)
        beside = [file for file in settings.keyring.rglob("*") if file.is_file()]
        written = tuple((file.stat().st_mtime_ns, repr(file.read_bytes())) for file in beside)
        return replace(
            copy, files=files, dump=dump, written=written, folder=to, read=self._read_folder
        )

    def with_keys(self, loot: Loot) -> Loot:
        """Return the loot with whatever is left in the keyring now."""
        return replace(loot, keys=self._secrets(), purpose=self.purpose)

    def _secrets(self) -> tuple[bytes, ...]:
        files = sorted(self.keyring.path.rglob("*"))
        return tuple(file.read_bytes() for file in files if file.is_file())

    def _read_folder(self, folder: Path) -> Copy:
        with reading(folder) as connection:
            return _read(connection, self.round_id)


def unshuffled(loot: Loot, truth: dict[bytes, str]) -> Loot:
    """Return the loot with comments printed in the order in which ballots are opened."""
    return replace(loot, printed=tuple(text for _, text in sorted(truth.items())))


def _read(connection: sa.Connection, round_id: UUID) -> Copy:
    """Read whatever the database holds about who answered, and the ballots, with every column."""
    of_round = sa.select(Nomination.id).where(Nomination.round_id == round_id)
    named = (
        sa.select(Person.name.label("person"), *_system(connection, "invitation"), Invitation)
        .join(Nomination, Nomination.id == Invitation.nomination_id)
        .join(Person, Person.id == Nomination.person_id)
        .where(Invitation.nomination_id.in_(of_round), Invitation.answered == Answered.ANSWERED)
    )
    people = [
        Participation(
            marks=(row.id.bytes, row.id.hex.encode(), str(row.id).encode()),
            name=row.person,
            **_row(row),
        )
        for row in connection.execute(named)
    ]
    query = sa.select(*_system(connection, "ballot"), Ballot).where(Ballot.round_id == round_id)
    papers = [
        Paper(
            marks=(row.handle, row.handle.hex().encode(), row.handle.hex().upper().encode()),
            sealed=row.sealed,
            size=len(row.sealed) + len(row.resume),
            relationship=getattr(row, "relationship", None),
            language=getattr(row, "language", None),
            **_row(row),
        )
        for row in connection.execute(query)
    ]
    later = (
        sa.select(Mail.id, Person.name)
        .join(Person, Person.id == Mail.person_id)
        .where(Mail.round_id == round_id, Mail.kind != MailKind.INVITATION)
    )
    outbox = tuple((row.name, row.id.bytes) for row in connection.execute(later))
    return Copy(people=tuple(people), papers=tuple(papers), outbox=outbox)


def _system(connection: sa.Connection, table: str) -> list[Any]:
    """Return the columns that the database keeps by itself: where a row lies, and who wrote it."""
    where, age = ("rowid", "0")
    if connection.dialect.name == "postgresql":
        where, age = (f"{table}.ctid::text", f"{table}.xmin::text")
    else:
        where = f"{table}.rowid"
    return [sa.literal_column(where).label("lies"), sa.literal_column(age).label("age")]


def _row(row: Any) -> dict[str, Any]:
    return {
        "place": place(row.lies),
        "age": int(row.age),
        "number": getattr(row, "number", None),
        "stamp": next((str(value) for value in row if isinstance(value, datetime)), None),
    }
