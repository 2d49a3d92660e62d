"""Bringing the database to the program's version."""

from __future__ import annotations

import sys

import click
import flask_migrate
from flask import Flask

from survey import create_app, moving
from survey.config import Settings
from survey.db import engine, is_up_to_date
from survey.errors import Conflict, marked
from survey.site import EXTENSION


class NotUpToDate(Conflict):
    """The database is of another version than the program."""

    message = marked("The database is not up to date. Run `preview360 db upgrade` first.")


@click.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database to this program's version; make it if there is none."""
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade()
    click.echo("The database is up to date.")


@db.command()
@click.argument("revision", default="-1")
@click.confirmation_option(prompt="What only the latest version stores will be lost. Go on?")
def downgrade(revision: str) -> None:
    """Take the latest change of the database back."""
    app = create_app()
    with app.app_context():
        flask_migrate.downgrade(revision=revision)
    click.echo("The database was taken back.")


@db.command()
@click.argument("url")
def copy(url: str) -> None:
    """Copy everything into the empty database at URL, such as one on PostgreSQL.

    Stop the server first. With - for URL, it is read from standard input, so that its password
    stands in no list of processes.
    """
    url = sys.stdin.readline().strip() if url == "-" else url
    here = create_app()
    check_up_to_date(here)
    settings = here.extensions[EXTENSION].settings
    there = create_app(Settings.model_validate(settings.model_dump() | {"database_url": url}))
    with engine(there) as target:
        moving.check_empty(target)
    with engine(here) as source, engine(there, upgraded=True) as target:
        copied = moving.copy(source, target)
    for name, held in copied.items():
        click.echo(f"{name}\t{held.rows} rows\t{held.digest[:16]}")
    click.echo(
        "All rows were copied and compared. Now set PREVIEW360_DATABASE_URL to the new database, "
        "keep the keyring as it is, and start the server. Delete the old database once all is "
        "well: its sealed answers open with the same keyring."
    )


def check_up_to_date(app: Flask) -> None:
    """Raise NotUpToDate unless the database is of this program's version."""
    with app.app_context():
        if not is_up_to_date():
            raise NotUpToDate
