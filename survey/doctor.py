"""Looks an installation over: does what protects raters stand as it should?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from survey import trustee_key
from survey.keyring import KeyringUnusable, Side
from survey.models import ENDED, BallotKey, Round, RoundState
from survey.services import custody, rounds, trustees
from survey.site import Site

OTHERS = 0o077
GROUP = 0o070
OVERDUE = timedelta(hours=1)
CUSTODY = {
    Side.BOTH: "Custody: together. One process uses the database and the whole keyring: whoever "
    "can read both could read the answers of open rounds; either alone tells none.",
    Side.WEB: "Custody: apart, the web side. Nothing here opens a ballot; the closing side's "
    "keyring does, and it must be out of reach of whoever can read this one.",
    Side.CLOSING: "Custody: apart, the closing side. What opens the ballots of open rounds is "
    "here, and must be out of reach of whoever can read the web side's keyring.",
}
WITH_TRUSTEE = (
    "Rounds that open from now on can only be opened with the key that %(name)s keeps, too "
    "(fingerprint %(fingerprint)s)."
)
WITHOUT_TRUSTEE = "No trustee: the keys of the side that closes open a round's ballots alone."


@dataclass(frozen=True)
class Finding:
    """Something that was looked at: what was found, and how to mend it; no cure, no trouble."""

    found: str
    cure: str = ""


def custody_level(site: Site, session: Session) -> list[str]:
    """Return in sentences who must work together to open a ballot before its time."""
    try:
        trustee = trustees.current(session, site.keyring)
    except KeyringUnusable as error:
        return [CUSTODY[site.keyring.side], str(error)]
    if trustee is None:
        return [CUSTODY[site.keyring.side], WITHOUT_TRUSTEE]
    fingerprint = trustee_key.fingerprint(trustee.public)
    named = {"name": trustee.person.name, "fingerprint": fingerprint}
    return [CUSTODY[site.keyring.side], WITH_TRUSTEE % named]


def examine(site: Site, session: Session) -> list[Finding]:
    """Look at keyring, database, rounds and settings; nothing is changed."""
    side = site.keyring.side
    return [
        *_keyring(site),
        *(_round_keys(site, session) if side.serves else ()),
        *(_ballot_keys(site, session) if side.closes else ()),
        *(_stock(site, session) if side is Side.WEB else ()),
        *_database(site),
        *(_bell(site) if side.serves else ()),
        *_work(site, session),
    ]


def _keyring(site: Site) -> list[Finding]:
    """Find out whether the keyring is apart from the database, and one user's alone."""
    folder = site.settings.keyring
    inside = _looked_at(folder)
    troubles = [
        Finding(f"{path} is open to other users.", f"chmod go= {path}")
        for path, status in inside.items()
        if status.st_mode & OTHERS
    ]
    if len({status.st_uid for status in inside.values()}) > 1:
        troubles.append(
            Finding(
                f"The keyring {folder} belongs to several users.",
                f"Give all of it to the one that runs the server: chown -R … {folder}",
            )
        )
    file = site.settings.database_file()
    if file and file.resolve().is_relative_to(folder.resolve()):
        troubles.append(
            Finding(
                f"The database {file} lies in the keyring: who copies one copies both.",
                "Move one of them and set PREVIEW360_DATABASE_URL or PREVIEW360_KEYRING.",
            )
        )
    foreign = {Side.WEB: ("ballots", "signing"), Side.CLOSING: ("rounds", "secret", "mail")}
    troubles += [
        Finding(
            f"{folder / name} belongs to the other side: this one could open too much.",
            "Move it there; nothing of it may be left here.",
        )
        for name in foreign.get(site.keyring.side, ())
        if (folder / name).exists()
    ]
    fine = Finding(f"The keyring {folder} is apart from the database, for its owner only.")
    return troubles or [fine]


def _looked_at(folder: Path) -> dict[Path, os.stat_result]:
    """Return the state of a folder and of all in it; a key may be destroyed meanwhile."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            found[path] = path.stat()
    return found


def _round_keys(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether each open round has its keys on the web side, and no other any."""
    # In this order: a round gets its keys before it is open.
    held = site.keyring.rounds()
    states = {round_.id: round_.state for round_ in session.scalars(select(Round))}
    troubled = False
    for round_id in held:
        state = states.get(round_id)
        folder = site.keyring.path / "rounds" / str(round_id)
        if state in ENDED:
            troubled = True
            yield _left(round_id)
        elif state is not RoundState.OPEN:
            troubled = True
            yield Finding(
                f"{folder} holds keys of a round that is not open in this database.",
                "Is this the right database, and is no round being opened just now? If so, the "
                "folder can be removed.",
            )
    for round_id in (each for each, state in states.items() if state is RoundState.OPEN):
        file = site.keyring.path / "rounds" / str(round_id) / "keys"
        if not file.is_file():
            troubled = True
            yield _missing(round_id, file)
    if not troubled:
        yield Finding(
            f"{len(held)} open rounds have the keys of their links; of closed ones none are left."
        )


def _ballot_keys(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether each open round has its ballot key, and what else is there."""
    held = set(site.keyring.ballot_keys())
    rows = session.execute(
        select(BallotKey.id, Round.id, Round.state).outerjoin(Round, Round.id == BallotKey.round_id)
    ).all()
    troubled = False
    for key_id, round_id, state in rows:
        file = site.keyring.path / "ballots" / str(key_id)
        if state in ENDED and key_id in held:
            troubled = True
            yield _left(round_id)
        elif state is RoundState.OPEN and key_id not in held:
            troubled = True
            yield _missing(round_id, file)
    unknown = held - {key_id for key_id, _, _ in rows}
    if unknown:
        troubled = True
        yield Finding(
            f"{site.keyring.path / 'ballots'} holds {len(unknown)} keys that this database does "
            f"not know: {', '.join(str(each) for each in sorted(unknown)[:3])} …",
            "Is this the right database? If so, they were made by an opening that failed, and "
            "can be removed.",
        )
    if not troubled:
        in_use = sum(state is RoundState.OPEN for _, _, state in rows)
        yield Finding(f"{in_use} open rounds have their ballot key; of closed ones none are left.")


def _left(round_id: UUID) -> Finding:
    return Finding(
        f"Round {round_id} has ended, and its keys or traces of it are still there.",
        "The server destroys them by itself; run `preview360 work --once` to do it now.",
    )


def _missing(round_id: UUID, file: Path) -> Finding:
    return Finding(
        f"Round {round_id} is open, and its keys are not there: {file}.",
        "Bring the keyring back. If it is lost, end the round: `preview360 round void`.",
    )


def _stock(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether the closing side has made keys for the next rounds that fit this side."""
    free = session.scalars(select(BallotKey).where(BallotKey.round_id.is_(None))).all()
    try:
        fitting = [key for key in free if custody.comes_from_closing_side(site.keyring, key)]
    except KeyringUnusable as error:
        yield Finding(
            str(error), "Copy the file `shared` from the closing side's keyring, mode 0600."
        )
        return
    if len(fitting) < len(free):
        yield Finding(
            f"{len(free) - len(fitting)} ballot keys in the database do not come from a closing "
            "side with the same file `shared`.",
            "Copy that file again. If it is the same, somebody has put keys into the database.",
        )
    if fitting:
        yield Finding(f"{len(fitting)} ballot keys are ready for the next rounds.")
    else:
        yield Finding(
            "No ballot key is ready: no round can be opened.",
            "Does the closing side run, with this database? `preview360 work` there makes them.",
        )


def _database(site: Site) -> Iterator[Finding]:
    """Find out whether others can read the SQLite file; servers have accounts for that."""
    file = site.settings.database_file()
    # Two sides with accounts of their own share it by a group.
    others = OTHERS if site.keyring.side is Side.BOTH else OTHERS & ~GROUP
    if file is None:
        yield Finding("The database is a server of its own; who may read it is set there.")
    elif file.parent.stat().st_mode & others and file.stat().st_mode & others:
        yield Finding(
            f"The database {file} can be read by other users of this machine: who was asked, who "
            "has answered, and the released previews.",
            f"chmod {'go' if others == OTHERS else 'o'}= {file.parent}",
        )
    else:
        yield Finding(f"The database {file} is closed to other users.")


def _bell(site: Site) -> Iterator[Finding]:
    """Find out whether workers can be woken."""
    url = make_url(site.settings.queue_url)
    where = url.render_as_string(hide_password=True)
    try:
        site.bell.queue().pending_count()
    except Exception as error:
        yield Finding(
            f"The queue {where} cannot be used ({type(error).__name__}): mails leave some seconds "
            "later.",
            "Start it again, or set PREVIEW360_QUEUE_URL.",
        )
        return
    alone = url.get_backend_name() == "sqlite"
    reach = "by workers of this machine" if alone else "by workers wherever they are"
    yield Finding(f"The queue {where} is heard {reach}.")


def _work(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether rounds get closed and mails sent, and people come here safely."""
    overdue = rounds.due(session, site.now() - OVERDUE)
    if overdue:
        yield Finding(
            f"{len(overdue)} rounds wait to be closed although their day has passed.",
            "Either too few answered (`preview360 round list`, then extend or void), or their "
            "trustee has not come (`preview360 trustee open`), or no worker runs: `preview360 "
            "serve` or `preview360 work`.",
        )
    if not site.keyring.side.serves:
        return
    if not site.settings.mail_url:
        yield Finding("No mail server is set: all mails wait.", "Set PREVIEW360_MAIL_URL.")
    if not site.settings.is_secure():
        yield Finding(
            f"{site.settings.base_url} is not https: links and answers could be read on the way.",
            "Put a proxy with a certificate in front, and set PREVIEW360_BASE_URL.",
        )
