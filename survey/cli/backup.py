"""Backups of the database, and bringing one back."""

from __future__ import annotations

from pathlib import Path

import click

from survey import backups, create_app
from survey.cli.database import check_up_to_date
from survey.cli.doctor import tell
from survey.clock import utc_now
from survey.config import from_environment
from survey.db import session
from survey.doctor import examine
from survey.services import mails
from survey.site import site

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("path", type=PATH)
@click.option(
    "--keep",
    type=click.IntRange(1, 10_000),
    help="Delete all but the newest N backups in the folder PATH.",
)
def backup(path: Path, keep: int | None) -> None:
    """Write the database into the file PATH, or into a new file in the folder PATH.

    The server goes on meanwhile. The keyring is left out: with it, the backup would open the
    answers of open rounds.
    """
    if keep and not path.is_dir():
        raise click.UsageError("--keep needs a folder, in which the newest backups stay.")
    settings = from_environment()
    check_up_to_date(create_app(settings))
    file = backups.place(path, settings, utc_now())
    copied = backups.back_up(settings, file)
    rows = sum(held.rows for held in copied.values())
    click.echo(f"{file}: {rows} rows of {len(copied)} tables, compared.")
    click.echo(
        f"The keyring {settings.keyring} is not in it: whoever has both could read the answers of "
        "open rounds, and a key that was copied is never destroyed. As long as the keyring is "
        "there, open rounds go on after a restore; if it is lost, they can only be ended."
    )
    for old in backups.forget_old(path, keep) if keep else ():
        click.echo(f"{old} was deleted.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(path: Path) -> None:
    """Bring the backup PATH into an empty database, and say what has to be looked after."""
    settings = from_environment()
    copied = backups.restore(settings, path)
    rows = sum(held.rows for held in copied.values())
    click.echo(f"{rows} rows of {len(copied)} tables were restored and compared.")
    with create_app(settings).app_context():
        waiting = mails.backlog(session(), site().now())["waiting"]
        findings = [each for each in examine(site(), session()) if each.cure]
        session().rollback()
    click.echo(
        "What has happened since the backup was made, it does not know. Whoever was erased is here "
        f"again: erase them again. {waiting} mails waited; those that have left since leave once "
        "more, under the same number."
    )
    tell(findings)
