"""The program `preview360`: commands for whoever runs an installation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from survey.cli import (
    audit,
    backup,
    database,
    demo,
    doctor,
    instrument,
    mail,
    person,
    questionnaire,
    report,
    round_,
    serve,
    settings,
    trustee,
    webhook,
)
from survey.config import PREFIX
from survey.errors import Refused, for_log


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="preview360", prog_name="preview360")
def cli() -> None:
    """Confidential 360-degree feedback, as a preview instead of a review."""


for command in (
    serve.serve,
    serve.work,
    settings.settings,
    doctor.doctor,
    audit.audit,
    database.db,
    backup.backup,
    backup.restore,
    person.person,
    round_.round_,
    trustee.trustee,
    mail.mail,
    webhook.webhook,
    questionnaire.questionnaire,
    instrument.instrument,
    report.report,
    demo.demo,
):
    cli.add_command(command)


def main() -> None:
    """Run a command."""
    with in_a_sentence():
        cli()


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Say what is refused in one sentence, and end with exit code 1."""
    try:
        yield
    except Refused as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(1)
    except DBAPIError as error:
        click.echo(f"The database cannot be used: {for_log(error)}.", err=True)
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            name = PREFIX + "_".join(str(step).upper() for step in problem["loc"])
            place = f"{name}: " if problem["loc"] else ""
            click.echo(f"{place}{problem['msg'].removeprefix('Value error, ')}", err=True)
        sys.exit(1)
