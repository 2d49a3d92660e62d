"""Backups: every row of the database as of one moment in a file, and never the keyring.

With its keyring a copy of the database opens sealed answers; each alone opens none.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from survey import create_app, db, moving
from survey.config import Settings
from survey.errors import Conflict, Refused, marked
from survey.moving import Content

NAME = "preview360-%Y%m%dT%H%M%SZ.db"
NAMED = re.compile(r"preview360-\d{8}T\d{6}Z\.db")


class BackupRefused(Conflict):
    """A backup cannot be written there."""

    message = marked("%(path)s is there already. Name another file.")


class NoBackup(Refused):
    """A file is nothing that could be restored."""

    message = marked("%(path)s is no backup: name a file that `preview360 backup` has made.")


class NewerBackup(Conflict):
    """A backup was made by a program that stores more than this one."""

    message = marked(
        "%(path)s was made by a newer version (%(version)s). Install that version, then restore."
    )


def place(path: Path, settings: Settings, now: datetime) -> Path:
    """Return the file that a backup goes to; in a folder it is named by the time.

    Raises BackupRefused where it would lie beside the keys, or replace something.
    """
    file = path / now.strftime(NAME) if path.is_dir() else path
    if file.resolve().is_relative_to(settings.keyring.resolve()):
        raise BackupRefused("A backup in the keyring would be copied with its keys. Name another.")
    if file.exists():
        raise BackupRefused(path=file)
    if not file.absolute().parent.is_dir():
        raise BackupRefused("The folder %(path)s is not there.", path=file.parent)
    return file


def back_up(settings: Settings, file: Path) -> dict[str, Content]:
    """Write every row into a SQLite file that only its owner reads; return what it holds.

    The server goes on meanwhile. The file is there once it is whole and compared.
    """
    here = create_app(settings)
    with tempfile.TemporaryDirectory(prefix=".preview360-", dir=file.absolute().parent) as folder:
        part = Path(folder) / "part.db"
        with (
            db.engine(here) as source,
            db.engine(_of_file(settings, part), upgraded=True) as target,
        ):
            copied = moving.copy(source, target)
        with closing(sqlite3.connect(part)) as whole:
            # One file, without another beside it.
            whole.execute("PRAGMA journal_mode = DELETE")
        part.chmod(0o600)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(file)
    return copied


def restore(settings: Settings, file: Path) -> dict[str, Content]:
    """Bring a backup into the empty database of the settings; return what it holds.

    One of an older version is brought to this one on the way. Raises NoBackup, NewerBackup,
    TargetInUse; then nothing was changed.
    """
    _check(file)
    there = create_app(settings)
    with db.engine(there) as target:
        moving.check_empty(target)
    with tempfile.TemporaryDirectory(prefix="preview360-") as folder:
        copied = Path(folder) / "backup.db"
        shutil.copyfile(file, copied)
        whole = db.engine(_of_file(settings, copied), upgraded=True)
        with whole as source, db.engine(there, upgraded=True) as target:
            return moving.copy(source, target)


def forget_old(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups of a folder, of those named by the time; return them."""
    named = sorted(each for each in folder.iterdir() if NAMED.fullmatch(each.name))
    old = named[: max(len(named) - keep, 0)]
    for file in old:
        file.unlink()
    return old


def _check(file: Path) -> None:
    """Refuse what is no backup, or of a version that this program does not know."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as backup:
            [version] = backup.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError):
        raise NoBackup(path=file) from None
    if version not in db.versions():
        raise NewerBackup(path=file, version=version)


def _of_file(settings: Settings, file: Path) -> Flask:
    """Return the application on another SQLite file."""
    url = sa.URL.create("sqlite", database=str(file.absolute()))
    text = url.render_as_string(hide_password=False)
    # Not checked again: the keyring may well lie beside the folder of backups.
    return create_app(settings.model_copy(update={"database_url": text}))
