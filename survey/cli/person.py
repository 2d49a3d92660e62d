"""People from the command line."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from survey import db
from survey.cli.application import faulty, person_called, with_application
from survey.db import session
from survey.models import ImportState
from survey.services import coaching, imports, people, retention, second_step
from survey.services.people import ROLES, Entry
from survey.services.retention import STILL_IN_FILES
from survey.services.tables import TableInvalid
from survey.site import site

SECONDS_FOR_OTHERS = 0.12


@click.group()
def person() -> None:
    """People: who leads, coaches, administers or is asked."""


@person.command()
@click.argument("address")
@click.option("--name", required=True, help="Full name.")
@click.option("--role", "roles", multiple=True, type=click.Choice(list(ROLES)), help="May repeat.")
@with_application
def add(address: str, name: str, roles: tuple[str, ...]) -> None:
    """Add one person."""
    added = people.add(session(), name, address, roles, site().now())
    click.echo(f"{added.name} <{added.email}> was added.")


@person.command()
@click.argument("address")
@click.option("--name", help="New name.")
@click.option("--address", "new", help="New address: the old one is told, its links end.")
@click.option("--role", "roles", multiple=True, type=click.Choice([*ROLES, "none"]))
@click.option("--active/--inactive", default=None, help="Whether they may sign in.")
@with_application
def change(
    address: str, name: str | None, new: str | None, roles: tuple[str, ...], active: bool | None
) -> None:
    """Change the person with ADDRESS; what is not named stays. Roles named replace all others."""
    changed = person_called(address)
    entry = Entry(
        changed.name if name is None else name,
        changed.email if new is None else new,
        [role for role in roles if role != "none"] if roles else people.roles_of(changed),
        changed.active if active is None else active,
    )
    here = site()
    people.change(session(), here.keyring, changed, entry, here.settings.language, here.now())
    click.echo(f"{changed.name} <{changed.email}> was changed.")


@person.command("import")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only say what would happen.")
@with_application
def import_(table: Path, check: bool) -> None:
    """Add or change the people of a CSV file or workbook (name, email, roles).

    With any fault nothing is imported.
    """
    try:
        if check:
            _say_plan(imports.plan(session(), table.read_bytes()))
            return
        import_ = imports.begin(session(), table.read_bytes(), site().now())
    except TableInvalid as error:
        raise faulty("nothing was imported", table, error) from None
    session().commit()
    quiet = not sys.stderr.isatty()
    with click.progressbar(length=import_.total, file=sys.stderr, hidden=quiet) as bar:
        while import_.state is ImportState.RUNNING:
            # Whoever waits to write looks ten times a second; let them in between. One of them may
            # be a worker that takes the next piece.
            time.sleep(SECONDS_FOR_OTHERS)
            imports.go_on(session(), site().now())
            session().refresh(import_)
            session().commit()
            bar.update(import_.done - bar.pos)
    click.echo(f"People added: {import_.added}, changed: {import_.changed}.")


def _say_plan(planned: list[imports.Planned]) -> None:
    for each in planned:
        what = "new" if each.person is None else "changed" if each.is_change() else "same"
        click.echo(f"{what}\t{each.entry.address}\t{each.entry.name}\t{' '.join(each.entry.roles)}")
    click.echo("Nothing was changed.")


@person.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_application
def erase(address: str, yes: bool) -> None:
    """Delete the person with ADDRESS and all that is theirs; say first what that is."""
    erased = person_called(address)
    of = retention.of_person(session(), erased)
    click.echo(
        f"{erased.name} <{erased.email}>: {len(of.rounds)} rounds with their previews, "
        f"{of.pulses} pulses, {len(of.teams)} team reports for everybody in them, asked in "
        f"{of.asked_in} rounds of others, {of.coached} coaches' accesses, {of.mails} mails."
    )
    if of.obstacles:
        raise retention.NotErasable(erased, of.obstacles)
    if not yes:
        click.confirm("Erase all of this for ever?", abort=True)
    retention.erase(session(), erased, site().now())
    session().commit()
    click.echo("Erased. Backups keep everything until they are deleted, too.")
    if not db.scrub():
        click.echo(STILL_IN_FILES)


@person.command("list")
@with_application
def list_() -> None:
    """List everybody, with their roles."""
    for each in people.everybody(session()):
        roles = " ".join(people.roles_of(each)) + ("" if each.active else " (inactive)")
        click.echo(f"{each.email}\t{each.name}\t{roles}")


@person.command()
@click.argument("address")
@with_application
def remove_second_step(address: str) -> None:
    """Let the person with ADDRESS, who has lost passkey or app, sign in with a code alone."""
    changed, here = person_called(address), site()
    second_step.remove_all(session(), changed, here.settings.language, here.now())
    click.echo(f"{changed.name} <{changed.email}> signs in with a mailed code alone.")


@person.command()
@click.argument("leader")
@click.argument("coach")
@with_application
def give_access(leader: str, coach: str) -> None:
    """Let COACH read the previews of LEADER (both by address)."""
    coaching.give_access(
        session(),
        person_called(leader),
        person_called(coach).id,
        site().settings.language,
        site().now(),
    )
    click.echo(f"{coach} may read the previews of {leader}.")


@person.command()
@click.argument("leader")
@click.argument("coach")
@with_application
def take_access_back(leader: str, coach: str) -> None:
    """End the access of COACH to the previews of LEADER."""
    coaching.take_access_back(
        session(), person_called(leader), person_called(coach).id, site().now()
    )
    click.echo(f"{coach} may no longer read the previews of {leader}.")
