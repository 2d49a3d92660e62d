"""Mails from the command line."""

from __future__ import annotations

from typing import BinaryIO

import click
from sqlalchemy import select

from survey import bounces
from survey.cli.application import with_application
from survey.db import session
from survey.errors import NotFound
from survey.mail import send_test
from survey.models import Mail
from survey.services import mails
from survey.site import site

LARGEST_REPORT = 1_000_000


@click.group()
def mail() -> None:
    """Mails: what was sent, what waits, and what could not be delivered."""


@mail.command("list")
@with_application
def list_() -> None:
    """List the latest mails, those in trouble first."""
    for each in mails.latest(session()):
        trouble = f"\t{each.trouble}" if each.trouble else ""
        click.echo(f"{each.id}\t{each.kind}\t{each.address}\t{each.state}{trouble}")


@mail.command()
@click.argument("address")
@with_application
def test(address: str) -> None:
    """Send a mail that says nothing to ADDRESS, to see whether the mail server takes it."""
    send_test(site(), address)
    click.echo(
        f"The mail server has taken a mail to {address}. If it does not arrive, look into the "
        "folder for unwanted mail, and at SPF, DKIM and DMARC in docs/running.md."
    )


@mail.command()
@click.argument("report", type=click.File("rb"), default="-")
@with_application
def bounced(report: BinaryIO) -> None:
    """Read the REPORT of a mail server (or standard input) that a mail was not delivered.

    Meant for the mailbox of the sender: whatever is no such report is left alone, with exit
    code 0, since a mail server would send it back otherwise.
    """
    bounce = bounces.read(report.read(LARGEST_REPORT))
    failed = mails.mark_bounced(session(), bounce.mail_id, bounce.reason) if bounce else None
    if bounce is None or failed is None:
        click.echo("This is no report on a mail that was sent from here.")
        return
    click.echo(f"The mail to {failed.address} was not delivered: {bounce.reason}")


@mail.command()
@click.argument("name", metavar="MAIL")
@with_application
def again(name: str) -> None:
    """Send MAIL again (by the first letters of its id): a failed one, or a lost invitation."""
    found = [each for each in session().scalars(select(Mail.id)) if str(each).startswith(name)]
    if len(found) != 1:
        raise NotFound("%(count)s mails begin with %(name)s.", count=len(found), name=name)
    mails.send_again(session(), found[0], site().now())
    click.echo("The mail is on its way.")
