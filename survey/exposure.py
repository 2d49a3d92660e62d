"""What somebody who holds this database today could learn, and what should not be in it.

Looked for in the database as it is: columns and triggers that this program did
not make, ballots that differ from one another, what is left of rounds that have
ended, and settings of the server that note times. Nothing is changed, and
nothing is said that would tell how far a round is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.doctor import Finding
from survey.models import (
    ENDED,
    AuditEntry,
    Ballot,
    Base,
    Invitation,
    Mail,
    Nomination,
    Person,
    Release,
    Round,
    RoundState,
    Team,
)
from survey.site import Site

# Alembic's own table.
OTHERS = {"alembic_version"}
BESIDE = ("-wal", "-shm", "-journal")
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal "
    "UNION ALL SELECT rulename FROM pg_rules WHERE schemaname = 'public'",
}


def learnt(session: Session) -> list[str]:
    """Return in sentences what the database tells whoever reads all of it."""

    def count(what: type[Base]) -> int:
        return session.scalar(select(func.count()).select_from(what)) or 0

    states = dict.fromkeys(RoundState, 0)
    for state, number in session.execute(select(Round.state, func.count()).group_by(Round.state)):
        states[state] = number
    open_rounds = states[RoundState.OPEN] + states[RoundState.CLOSING]
    return [
        f"{count(Person)} people: names, addresses, roles, how they sign in, and who has led which "
        "round.",
        f"{count(Nomination)} times that somebody is or was asked about a leader: who and as what.",
        f"{open_rounds} open rounds: who has answered or declined so far, and which sealed ballot "
        "came in with whose answer, for whoever watches. Not what is in it: that takes the keys.",
        f"{states[RoundState.VOID]} rounds without preview: nothing of what was answered.",
        f"{count(Release)} previews, readable whole, as their leaders read them: figures of groups "
        "and comments without names. Not who wrote what: that is not here any more.",
        f"{count(Team)} team reports, readable whole, and which previews are behind each.",
        f"{count(Mail)} mails: to whom, about which round, when. No link and no code.",
        f"{count(AuditEntry)} acts of leaders, coaches and administrators, with their times.",
    ]


def look(site: Site, session: Session) -> list[Finding]:
    """Look for what should not be there; each trouble with its cure. Nothing is changed."""
    findings = [
        *_schema(session),
        *_ballots(session),
        *_leftovers(session),
        *_mails(session),
        *(_sqlite(file, session) if (file := site.settings.database_file()) else ()),
        *(_postgresql(session) if session.connection().dialect.name == "postgresql" else ()),
    ]
    fine = Finding("No foreign table, column, trigger or rule, no odd ballot, nothing left over.")
    return findings or [fine]


def _schema(session: Session) -> Iterator[Finding]:
    """Find tables, columns and triggers of somebody else: a time or a name beside a ballot."""
    connection = session.connection()
    inspector = sa.inspect(connection)
    known = {
        table.name: {column.name for column in table.columns}
        for table in Base.metadata.sorted_tables
    }
    for name in sorted(set(inspector.get_table_names()) - OTHERS):
        if name not in known:
            yield Finding(
                f"The table {name} is not of this program.",
                "Find out who made it and what it notes; then drop it.",
            )
            continue
        for column in inspector.get_columns(name):
            if column["name"] not in known[name]:
                yield Finding(
                    f"The column {name}.{column['name']} is not of this program.",
                    "Find out who added it and what it notes; then drop it.",
                )
    query = TRIGGERS.get(connection.dialect.name)
    for trigger in connection.execute(sa.text(query)).scalars() if query else ():
        yield Finding(
            f"The trigger or rule {trigger} is not of this program: it could note who did what "
            "when.",
            "Find out who made it; then drop it.",
        )


def _ballots(session: Session) -> Iterator[Finding]:
    """Find rounds whose ballots can be told apart by their sizes."""
    sealed, resume = func.length(Ballot.sealed), func.length(Ballot.resume)
    query = select(Ballot.round_id).group_by(Ballot.round_id)
    sizes = func.count(sealed.distinct()), func.count(resume.distinct())
    for round_id in session.scalars(query.having(sa.or_(*(size > 1 for size in sizes)))):
        yield Finding(
            f"Round {round_id} holds ballots of different sizes: somebody has put in others.",
            "It will be refused at its close. End it: `preview360 round void`.",
        )


def _leftovers(session: Session) -> Iterator[Finding]:
    """Find what should have gone with the end of its round."""
    ended = select(Round.id).where(Round.state.in_(ENDED))
    left = {
        "ballots": select(func.count()).where(Ballot.round_id.in_(ended)),
        "links": select(func.count())
        .select_from(Invitation)
        .join(Nomination)
        .where(Nomination.round_id.in_(ended)),
    }
    for what, query in left.items():
        if number := session.scalar(query):
            yield Finding(
                f"{number} {what} are left of rounds that have ended.",
                "This program leaves none: somebody has brought back an old copy, or added them. "
                f"Delete them, and find out how they came here ({what}).",
            )


def _mails(session: Session) -> Iterator[Finding]:
    """Find codes that outlive their mail."""
    query = select(func.count()).where(
        Mail.sealed.is_not(None), Mail.state.not_in(["waiting", "sending"])
    )
    if number := session.scalar(query):
        yield Finding(
            f"{number} mails keep a sealed code although they are done.",
            "Delete their column `sealed`.",
        )


def _sqlite(file: Path, session: Session) -> Iterator[Finding]:
    """Find copies beside the file, and remnants of what was deleted."""
    own = {file.name, *(f"{file.name}{ending}" for ending in BESIDE)}
    for other in sorted(path.name for path in file.parent.iterdir() if path.name not in own):
        yield Finding(
            f"{file.parent / other} lies beside the database: is it a copy?",
            "Copies hold who had answered by then. Keep as few as you need, and none here.",
        )
    if not session.scalar(sa.text("PRAGMA secure_delete")):
        yield Finding(
            "This build of SQLite does not overwrite what is deleted.",
            "Use another one: who had answered stays in the file.",
        )


def _postgresql(session: Session) -> Iterator[Finding]:
    """Find settings with which PostgreSQL notes when each row was written, and by what."""

    def setting(name: str) -> str:
        return str(session.scalar(sa.text(f"SHOW {name}")))

    if setting("track_commit_timestamp") == "on":
        yield Finding(
            "PostgreSQL notes the time of every commit (track_commit_timestamp).",
            "Set it to off: with it, whoever holds the database knows who answered when.",
        )
    if setting("log_statement") in ("mod", "all") or setting("log_min_duration_statement") != "-1":
        yield Finding(
            "PostgreSQL writes every change into its log (log_statement, "
            "log_min_duration_statement).",
            "Set them to none and -1: the log would tell who answered when, also after the close.",
        )
