"""Looks an installation over: does what protects raters stand as it should?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.models import Round, RoundState
from survey.services import rounds
from survey.site import Site

OTHERS = 0o077
SECRETS = ("pepper", "ballot", "mail")
OVERDUE = timedelta(hours=1)
CUSTODY = (
    "Custody: together. One process uses the database and the whole keyring: whoever can read both "
    "could read the answers of open rounds; either alone tells none. Of closed rounds nobody can."
)


@dataclass(frozen=True)
class Finding:
    """Something that was looked at: what was found, and how to mend it; no cure, no trouble."""

    found: str
    cure: str = ""


def examine(site: Site, session: Session) -> list[Finding]:
    """Look at keyring, database, rounds and settings; nothing is changed."""
    return [*_keyring(site), *_keys(site, session), *_database(site), *_work(site, session)]


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
    fine = Finding(f"The keyring {folder} is apart from the database, for its owner only.")
    return troubles or [fine]


def _looked_at(folder: Path) -> dict[Path, os.stat_result]:
    """Return the state of a folder and of all in it; a key may be destroyed meanwhile."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            found[path] = path.stat()
    return found


def _keys(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether each open round has its keys, and no other any."""
    # In this order: a round gets its keys before it is open.
    held = site.keyring.rounds()
    states = {round_.id: round_.state for round_ in session.scalars(select(Round))}
    troubled = False
    for round_id in held:
        state = states.get(round_id)
        folder = site.settings.keyring / "rounds" / str(round_id)
        if state in (RoundState.RELEASED, RoundState.VOID):
            troubled = True
            yield Finding(
                f"Round {round_id} has ended, and its keys or traces of it are still there.",
                "The server destroys them by itself; run `preview360 work --once` to do it now.",
            )
        elif state is not RoundState.OPEN:
            troubled = True
            yield Finding(
                f"{folder} holds keys of a round that is not open in this database.",
                "Is this the right database, and is no round being opened just now? If so, the "
                "folder can be removed.",
            )
    for round_id in (each for each, state in states.items() if state is RoundState.OPEN):
        folder = site.settings.keyring / "rounds" / str(round_id)
        missing = [name for name in SECRETS if not (folder / name).is_file()]
        if missing:
            troubled = True
            yield Finding(
                f"Round {round_id} is open, and its keys are not there: {', '.join(missing)}.",
                "Bring the keyring back. If it is lost, end the round: `preview360 round void`.",
            )
    if not troubled:
        yield Finding(f"{len(held)} open rounds have their keys; of closed ones none are left.")


def _database(site: Site) -> Iterator[Finding]:
    """Find out whether others can read the SQLite file; servers have accounts for that."""
    file = site.settings.database_file()
    if file is None:
        yield Finding("The database is a server of its own; who may read it is set there.")
    elif file.parent.stat().st_mode & OTHERS and file.stat().st_mode & OTHERS:
        yield Finding(
            f"The database {file} can be read by other users of this machine: who was asked, who "
            "has answered, and the released previews.",
            f"chmod go= {file.parent}",
        )
    else:
        yield Finding(f"The database {file} is for its owner only.")


def _work(site: Site, session: Session) -> Iterator[Finding]:
    """Find out whether rounds get closed and mails sent, and people come here safely."""
    overdue = rounds.due(session, site.now() - OVERDUE)
    if overdue:
        yield Finding(
            f"{len(overdue)} rounds wait to be closed although their day has passed.",
            "Either too few answered (`preview360 round list`, then extend or void), or no worker "
            "runs: `preview360 serve` or `preview360 work`.",
        )
    if not site.settings.mail_url:
        yield Finding("No mail server is set: all mails wait.", "Set PREVIEW360_MAIL_URL.")
    if not site.settings.is_secure():
        yield Finding(
            f"{site.settings.base_url} is not https: links and answers could be read on the way.",
            "Put a proxy with a certificate in front, and set PREVIEW360_BASE_URL.",
        )
