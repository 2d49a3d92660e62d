"""Rounds from the command line."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from survey import jobs
from survey.cli.application import (
    cleaned_up,
    faulty,
    person_called,
    round_called,
    with_application,
)
from survey.db import session
from survey.services import nominations, questionnaires, rounds
from survey.services.rounds import Choices
from survey.services.tables import TableInvalid
from survey.site import site

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("round")
def round_() -> None:
    """Rounds: one leader's collecting of feedback.

    A round is named by its id, or by the first letters of it. Pulses are listed, too; they can
    be shown, closed and voided.
    """


@round_.command()
@click.argument("leader")
@click.option("--level", required=True, help="self_leader, new_lead, manager or senior_leader.")
@click.option("--last-day", required=True, type=DAY, help="Closing day, as 2026-12-24.")
@click.option("--language", default="en", show_default=True)
@click.option("--message", default="", help="A message to the raters.")
@click.option("--questionnaire", default="technical_leader", show_default=True)
@with_application
def prepare(
    leader: str, level: str, last_day: datetime, language: str, message: str, questionnaire: str
) -> None:
    """Prepare a round for LEADER (by address)."""
    choices = Choices(level, language, site().end_of(last_day.date()), message)
    prepared = rounds.prepare(
        session(),
        person_called(leader),
        questionnaires.current(session(), questionnaire),
        choices,
        site().settings.k,
        site().now(),
    )
    click.echo(prepared.id)


@round_.command()
@click.argument("name", metavar="ROUND")
@click.option("--level")
@click.option("--last-day", type=DAY, help="Closing day, as 2026-12-24.")
@click.option("--language")
@click.option("--message")
@with_application
def change(
    name: str,
    level: str | None,
    last_day: datetime | None,
    language: str | None,
    message: str | None,
) -> None:
    """Change what ROUND will ask, before it opens; what is not named stays."""
    changed = round_called(name)
    choices = Choices(
        level or changed.level,
        language or changed.language,
        site().end_of(last_day.date()) if last_day else changed.closes_at,
        changed.message if message is None else message,
        changed.coach_first,
    )
    rounds.change(session(), changed, choices, site().now())
    click.echo("The round is changed.")


@round_.command()
@click.argument("name", metavar="ROUND")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_application
def raters(name: str, table: Path) -> None:
    """Name the raters of ROUND from a CSV file (name, email, relationship)."""
    try:
        count = nominations.name_from_table(
            session(), round_called(name), table.read_bytes(), site().now()
        )
    except TableInvalid as error:
        raise faulty("nobody was named", table, error) from None
    click.echo(f"{count} raters are named.")


@round_.command()
@click.argument("name", metavar="ROUND")
@with_application
def discard(name: str) -> None:
    """Delete ROUND, which has not opened."""
    rounds.discard(session(), round_called(name), site().now())
    click.echo("The round was discarded.")


@round_.command("open")
@click.argument("name", metavar="ROUND")
@with_application
def open_(name: str) -> None:
    """Open ROUND and queue its invitations."""
    rounds.open_round(
        session(),
        site().keyring,
        round_called(name),
        site().now(),
        rounds_a_person=site().settings.rounds_a_person,
    )
    click.echo("The round is open; the invitations are on their way.")


@round_.command("list")
@with_application
def list_() -> None:
    """List all rounds and pulses: id, state, closing day, leader, and which it is."""
    for each in rounds.every(session()):
        last_day: date = site().last_day(each.closes_at)
        kind = "pulse" if each.pulse else "round"
        click.echo(f"{each.id}\t{each.state}\t{last_day}\t{each.leader.name}\t{kind}")


@round_.command()
@click.argument("name", metavar="ROUND")
@with_application
def show(name: str) -> None:
    """Show where ROUND stands: which groups have enough answers, renewed once a day."""
    shown = round_called(name, or_pulse=True)
    click.echo(f"{shown.leader.name}: {shown.state}, until {site().last_day(shown.closes_at)}")
    enough = rounds.enough(shown).groups
    for relationship, asked in rounds.asked(session(), shown).items():
        if relationship in enough:
            alone = "not yet" if asked >= shown.k else "shown together with others"
            said = "enough" if enough[relationship] else alone
            click.echo(f"{relationship}\t{asked} asked\t{said}")


@round_.command()
@click.argument("name", metavar="ROUND")
@click.option("--last-day", required=True, type=DAY, help="New closing day, as 2026-12-24.")
@with_application
def extend(name: str, last_day: datetime) -> None:
    """Move the closing day of ROUND further on."""
    rounds.extend(session(), round_called(name), site().end_of(last_day.date()), site().now())
    click.echo(f"The round closes at the end of {last_day.date()}.")


@round_.command()
@click.argument("name", metavar="ROUND")
@with_application
def close(name: str) -> None:
    """Close ROUND, whose closing day has passed, and destroy its keys."""
    jobs.close(site(), session(), round_called(name, or_pulse=True).id)
    click.echo(f"The round is closed: its release stands. {cleaned_up()}")


@round_.command()
@click.argument("name", metavar="ROUND")
@click.confirmation_option(prompt="Destroy all answers of this round unopened?")
@with_application
def void(name: str) -> None:
    """End ROUND without a preview; its answers are destroyed unopened."""
    rounds.void(session(), round_called(name, or_pulse=True), site().now())
    session().commit()
    click.echo(f"The round has ended; its answers are destroyed. {cleaned_up()}")
