"""Bringing the database to the program's version."""

from __future__ import annotations

import click
import flask_migrate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from survey import MIGRATIONS, create_app
from survey.db import db as database
from survey.errors import Conflict, marked


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


def check_up_to_date(app: Flask) -> None:
    """Raise NotUpToDate unless the database is of this program's version."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with app.app_context(), database.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present != newest:
        raise NotUpToDate
