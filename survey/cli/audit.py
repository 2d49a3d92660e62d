"""Saying what the database would tell."""

from __future__ import annotations

import sys

import click

from survey import exposure
from survey.cli.application import with_application
from survey.cli.doctor import tell
from survey.db import session
from survey.doctor import custody_level, examine
from survey.site import site


@click.command()
@with_application
def audit() -> None:
    """Say what somebody who holds this database today could learn, and what is wrong with it.

    Ends with exit code 1 if something has to be mended.
    """
    level = custody_level(site(), session())
    learnt = exposure.learnt(session())
    findings = [*exposure.look(site(), session()), *examine(site(), session())]
    session().rollback()
    click.echo("Whoever holds this database today learns:")
    for sentence in learnt:
        click.echo(f"- {sentence}")
    for sentence in level:
        click.echo(sentence)
    if tell(findings):
        sys.exit(1)
