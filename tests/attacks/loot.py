"""What somebody who copies an installation's storage holds, of one round.

The attacker knows the schema, so rows come with every column and with the
places and ages that the database adds on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.score import Guess


@dataclass(frozen=True)
class Row:
    """One row: how to find it in bytes and dumps, where it lies, and which transaction wrote it.

    `place` is SQLite's rowid or PostgreSQL's ctid, `age` PostgreSQL's xmin.
    """

    marks: tuple[bytes, ...]
    place: tuple[int, ...]
    age: int = 0
    number: int | None = None
    stamp: str | None = None


@dataclass(frozen=True)
class Participation(Row):
    """A row which says that a rater has answered."""

    name: str = ""


@dataclass(frozen=True)
class Paper(Row):
    """A row with somebody's answers: readable or sealed."""

    text: str | None = None
    sealed: bytes = b""
    size: int = 0
    relationship: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Copy:
    """One backup: rows, a dump, and the bytes of all files by name."""

    people: tuple[Participation, ...]
    papers: tuple[Paper, ...]
    # Mails that were queued after the invitations: to whom, in order, and about which paper.
    outbox: tuple[tuple[str, bytes], ...] = ()
    dump: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    # Files that are written one an answer, with their times: (time, content).
    written: tuple[tuple[int, str], ...] = ()
    # A SQLite database's files, and how to read a copy of them.
    folder: Path | None = None
    read: Callable[[Path], Copy] | None = None


@dataclass(frozen=True)
class Rater:
    """What colleagues know of a rater anyway."""

    name: str
    relationship: str
    language: str


@dataclass(frozen=True)
class Loot:
    """Backups of each night while the round was open, one after it, and the printed comments."""

    raters: tuple[Rater, ...]
    nights: tuple[Copy, ...]
    after: Copy
    printed: tuple[str, ...]
    # Texts that raters typed and took back before sending.
    taken_back: tuple[str, ...] = ()
    # Secrets that are left when the round has closed, and what ballots were sealed for.
    keys: tuple[bytes, ...] = ()
    purpose: str = ""

    @property
    def last(self) -> Copy:
        """Return the last copy before the close."""
        return self.nights[-1]

    def says(self, paper: Paper) -> tuple[str, bool]:
        """Return what a paper says and whether that is read rather than guessed.

        A sealed one is taken for the comment printed at its rank by key: papers are opened in
        the order of their keys, so a report that kept that order would give all away.
        """
        if paper.text is not None:
            return paper.text, True
        ranked = sorted(self.last.papers, key=lambda each: each.marks[0])
        rank = next((i for i, each in enumerate(ranked) if each.marks[0] == paper.marks[0]), 0)
        return self.printed[rank % len(self.printed)], False

    def pairs(
        self, people: Sequence[Participation], papers: Sequence[Paper], *, sure: bool = False
    ) -> list[Guess]:
        """Return the guess that the first of these people wrote the first of these papers, etc."""
        guesses = []
        for person, paper in zip(people, papers, strict=False):
            text, read = self.says(paper)
            guesses.append(Guess(person.name, text, certain=sure and read))
        return guesses
