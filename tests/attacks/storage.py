"""Attacks by somebody who holds the database: from copies of it to who wrote what.

Each is a pure function of the loot of one round.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from survey.sealing import SealBroken, unseal
from tests.attacks.files import MERGED
from tests.attacks.loot import Copy, Loot, Paper, Participation, Row
from tests.attacks.score import Guess

R = TypeVar("R", bound=Row)
BOTH = ("sqlite", "postgresql")
FRAME_HEADER, WAL_HEADER = 24, 32


@dataclass(frozen=True)
class StorageAttack:
    """An attack, the twin that it must win against, and the databases that it is made for."""

    name: str
    run: Callable[[Loot], list[Guess]] | Callable[[Loot], list[str]]
    twin: str = "naive"
    databases: tuple[str, ...] = BOTH
    leaks: bool = False


# --- Orders that the database keeps by itself ----------------------------------------------


def order_of_places(loot: Loot) -> list[Guess]:
    """Rows lie where they were added: the first who answered wrote the first paper."""
    by_place = attrgetter("place")
    return loot.pairs(
        sorted(loot.last.people, key=by_place), sorted(loot.last.papers, key=by_place)
    )


def order_of_transactions(loot: Loot) -> list[Guess]:
    """Rows are stamped with the transaction that wrote them; the order of both tables is one."""
    by_age = attrgetter("age")
    return loot.pairs(sorted(loot.last.people, key=by_age), sorted(loot.last.papers, key=by_age))


def one_transaction(loot: Loot) -> list[Guess]:
    """One transaction noted the name and wrote the paper, so both bear its number."""
    papers = {paper.age: paper for paper in loot.last.papers if paper.age}
    some = [person for person in loot.last.people if person.age in papers]
    return loot.pairs(some, [papers[person.age] for person in some], sure=True)


def order_of_dump(loot: Loot) -> list[Guess]:
    """A dump tells no transactions, but it writes the rows in the order in which they lie."""
    dump = loot.last.dump.encode()
    return loot.pairs(_found(loot.last.people, dump), _found(loot.last.papers, dump))


def order_in_pages(loot: Loot) -> list[Guess]:
    """Without row numbers: a page is filled from its end, so the last written lies first."""
    papers = _found(loot.last.papers, loot.last.files[MERGED])
    return loot.pairs(sorted(loot.last.people, key=attrgetter("place")), papers[::-1])


def order_of_log(loot: Loot) -> list[Guess]:
    """The write-ahead log of PostgreSQL repeats every row in the order of writing."""
    log = loot.last.files["pg_wal"]
    people = _found(loot.last.people, log, last=True)
    return loot.pairs(people, _found(loot.last.papers, log, last=True))


def commits_of_log(loot: Loot) -> list[Guess]:
    """SQLite's write-ahead log, taken back commit by commit, tells what each one added."""
    guesses = []
    for before, after in _states(loot.last):
        people, papers = _added(before, after)
        if len(people) == len(papers) == 1:
            guesses += loot.pairs(people, papers, sure=True)
    return guesses


def sequence_numbers(loot: Loot) -> list[Guess]:
    """Rows are counted through: the first who answered wrote number one."""
    numbered = [
        sorted((row for row in rows if row.number is not None), key=lambda row: row.number or 0)
        for rows in (loot.last.people, loot.last.papers)
    ]
    return loot.pairs(*numbered)  # type: ignore[arg-type]


# --- What rows say -------------------------------------------------------------------------


def time_stamps(loot: Loot) -> list[Guess]:
    """Both rows bear a time."""
    stamped = [
        sorted((row for row in rows if row.stamp), key=lambda row: str(row.stamp))
        for rows in (loot.last.people, loot.last.papers)
    ]
    return loot.pairs(*stamped, sure=True)  # type: ignore[arg-type]


def relationship_on_row(loot: Loot) -> list[Guess]:
    """The paper says "manager", and there is only one."""
    return _only_one(loot, "relationship")


def language_on_row(loot: Loot) -> list[Guess]:
    """The paper was filled in in a language that only one of them uses."""
    return _only_one(loot, "language")


def length_of_what_is_sealed(loot: Loot) -> list[Guess]:
    """A seal without padding is as long as the comment in it, which the report prints."""
    sizes = Counter(paper.size for paper in loot.last.papers)
    lengths = Counter(len(text.encode()) for text in loot.printed)
    around = min(sizes) - min(lengths)
    papers = {paper.age or paper.place: paper for paper in loot.last.papers}
    guesses = []
    for person in loot.last.people:
        size = papers[person.age or person.place].size
        if sizes[size] == lengths[size - around] == 1:
            [text] = [text for text in loot.printed if len(text.encode()) == size - around]
            guesses.append(Guess(person.name, text, certain=True))
    return guesses


def order_of_printed_comments(loot: Loot) -> list[Guess]:
    """Whose paper it is stands in the database; the report prints comments as papers are opened."""
    return one_transaction(loot) or commits_of_log(loot)


# --- Backups compared ----------------------------------------------------------------------


def nightly_backups(loot: Loot) -> list[Guess]:
    """What is new since last night belongs to who has answered since last night."""
    guesses = []
    for before, after in zip((EMPTY, *loot.nights), loot.nights, strict=False):
        people, papers = _added(before, after)
        by_group = [(_relationship(loot, person), person) for person in people]
        for group, person in by_group:
            fitting = [paper for paper in papers if paper.relationship in (None, group)]
            alone = [name for name, _ in by_group].count(group) == 1 and len(fitting) == 1
            if fitting:
                guesses += loot.pairs([person], fitting, sure=alone)
    return guesses


def two_backups_around_one_answer(loot: Loot) -> list[Guess]:
    """Between two backups one person answered and one paper came."""
    guesses = []
    for before, after in zip((EMPTY, *loot.nights), loot.nights, strict=False):
        people, papers = _added(before, after)
        if len(people) == len(papers) == 1:
            guesses += loot.pairs(people, papers, sure=True)
    return guesses


# --- What lies beside the rows -------------------------------------------------------------


def outbox(loot: Loot) -> list[Guess]:
    """A mail of thanks was queued for each answer, and stays."""
    papers = {paper.marks[0]: paper for paper in loot.last.papers}
    known = {person.name: person for person in loot.last.people}
    some = [(known[name], papers[key]) for name, key in loot.last.outbox if key in papers]
    return loot.pairs([person for person, _ in some], [paper for _, paper in some], sure=True)


def file_times(loot: Loot) -> list[Guess]:
    """Each answer was kept as a file; files bear times, and so does "has answered"."""
    texts = [text for _, text in sorted(loot.last.written)]
    people = sorted((row for row in loot.last.people if row.stamp), key=lambda row: str(row.stamp))
    pairs = zip(people, texts, strict=False)
    return [Guess(person.name, text, certain=True) for person, text in pairs]


def remnants_in(*files: str) -> Callable[[Loot], list[str]]:
    """Look in files for what was typed and taken back: deleted rows stay until overwritten."""

    def remnants(loot: Loot) -> list[str]:
        copies = (*loot.nights, loot.after)
        content = b"".join(copy.files.get(file, b"") for copy in copies for file in files)
        return [text for text in loot.taken_back if text.encode() in content]

    remnants.__doc__ = f"What was typed and taken back still stands in {' and '.join(files)}."
    return remnants


def remnants_in_dumps(loot: Loot) -> list[str]:
    """A dump of the night in which something was typed holds it for ever."""
    dumps = "".join(copy.dump for copy in (*loot.nights, loot.after))
    return [text for text in loot.taken_back if text in dumps]


def reading(loot: Loot) -> list[str]:
    """What was sent stands readable in a file or dump from before the close."""
    held = [loot.last.dump.encode(), *loot.last.files.values()]
    return [text for text in loot.printed if any(text.encode() in content for content in held)]


def old_copy_and_todays_keys(loot: Loot) -> list[str]:
    """A copy from before the close, opened with a key that was not destroyed."""
    opened = []
    for key, paper in itertools.product(loot.keys, loot.last.papers):
        with suppress(SealBroken, ValueError):
            opened.append(unseal(key, paper.sealed, loot.purpose))
    return [text for text in loot.printed if any(text.encode() in content for content in opened)]


EMPTY = Copy(people=(), papers=())

ATTACKS = (
    StorageAttack("reading the files", reading, leaks=True),
    StorageAttack("order of rows", order_of_places),
    StorageAttack("order of xmin", order_of_transactions, databases=("postgresql",)),
    StorageAttack("one xmin for both rows", one_transaction, databases=("postgresql",)),
    StorageAttack("order of a dump", order_of_dump),
    StorageAttack("cells in a page", order_in_pages, "without rowid", ("sqlite",)),
    StorageAttack("order of the PostgreSQL log", order_of_log, databases=("postgresql",)),
    StorageAttack("commits of the SQLite log", commits_of_log, databases=("sqlite",)),
    StorageAttack("sequence numbers", sequence_numbers),
    StorageAttack("time stamps on rows", time_stamps),
    StorageAttack("relationship on the row", relationship_on_row),
    StorageAttack("language on the row", language_on_row),
    StorageAttack("length of what is sealed", length_of_what_is_sealed, "unpadded"),
    StorageAttack("order of printed comments", order_of_printed_comments, "unshuffled"),
    StorageAttack("nightly backups compared", nightly_backups),
    StorageAttack("two backups around one answer", two_backups_around_one_answer),
    StorageAttack("old copy and today's keys", old_copy_and_todays_keys, "keys kept", leaks=True),
    StorageAttack("outbox", outbox),
    StorageAttack("times of files", file_times),
    StorageAttack(
        "remnants in the database file",
        remnants_in("preview360.db", MERGED),
        databases=("sqlite",),
        leaks=True,
    ),
    StorageAttack(
        "remnants in the write-ahead log",
        remnants_in("preview360.db-wal", "pg_wal"),
        leaks=True,
    ),
    StorageAttack(
        "remnants in the rollback journal",
        remnants_in("preview360.db-journal"),
        "rollback journal",
        ("sqlite",),
        leaks=True,
    ),
    StorageAttack(
        "remnants in the heap", remnants_in("heap"), databases=("postgresql",), leaks=True
    ),
    StorageAttack("remnants in dumps", remnants_in_dumps, leaks=True),
)


# --- Helpers -------------------------------------------------------------------------------


def _found(rows: Iterable[R], content: bytes, *, last: bool = False) -> list[R]:
    """Return the rows in the order in which the content holds them, for the first or last time."""
    found = []
    for row in rows:
        places = [content.rfind(mark) if last else content.find(mark) for mark in row.marks]
        places = [place for place in places if place >= 0]
        if places:
            found.append((max(places) if last else min(places), row))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _added(before: Copy, after: Copy) -> tuple[list[Participation], list[Paper]]:
    """Return the names that are new in a copy, and the papers that are new or changed."""
    names = {person.name for person in before.people}
    papers = {(paper.marks[0], paper.sealed) for paper in before.papers}
    return (
        [person for person in after.people if person.name not in names],
        [paper for paper in after.papers if (paper.marks[0], paper.sealed) not in papers],
    )


def _relationship(loot: Loot, person: Participation) -> str:
    return next(rater.relationship for rater in loot.raters if rater.name == person.name)


def _only_one(loot: Loot, trait: str) -> list[Guess]:
    """Link raters who are the only ones with a trait that their paper tells."""
    of = Counter(getattr(rater, trait) for rater in loot.raters)
    people = {person.name: person for person in loot.last.people}
    guesses = []
    for rater in loot.raters:
        value = getattr(rater, trait)
        papers = [paper for paper in loot.last.papers if getattr(paper, trait) == value]
        if of[value] == 1 and len(papers) == 1:
            guesses += loot.pairs([people[rater.name]], papers, sure=True)
    return guesses


def _states(copy: Copy) -> Iterator[tuple[Copy, Copy]]:
    """Read a SQLite database as it was before and after each commit that its log still holds."""
    if copy.folder is None or copy.read is None:
        return
    log = (copy.folder / "preview360.db-wal").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(copy.folder / "preview360.db", folder)
        states = []
        for end in _commits(log):
            (folder / "preview360.db-wal").write_bytes(log[:end])
            for shared in folder.glob("*-shm"):
                shared.unlink()
            # Before the tables were all there.
            with suppress(OperationalError):
                states.append(copy.read(folder))
    yield from zip((EMPTY, *states), states, strict=False)


def _commits(log: bytes) -> Sequence[int]:
    """Return where in a SQLite log each commit ends (https://sqlite.org/fileformat2.html#walformat)."""
    if len(log) < WAL_HEADER:
        return ()
    frame = FRAME_HEADER + int.from_bytes(log[8:12], "big")
    salts = log[16:24]
    ends = []
    for start in range(WAL_HEADER, len(log) - frame + 1, frame):
        # Frames of an earlier turn of the log bear other salts.
        if log[start + 8 : start + 16] != salts:
            break
        if int.from_bytes(log[start + 4 : start + 8], "big"):
            ends.append(start + frame)
    return ends
