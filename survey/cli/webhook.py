"""Webhooks from the command line."""

from __future__ import annotations

import click

from survey import webhooks
from survey.cli.application import with_application
from survey.db import session
from survey.services import webhooks as services
from survey.site import site


@click.group()
def webhook() -> None:
    """Webhooks: telling another program what becomes of rounds."""


@webhook.command()
@with_application
def test() -> None:
    """Send a message that says nothing, to see whether the receiver takes it."""
    webhooks.send_test(site())
    click.echo(f"{site().settings.webhook_url} has taken a message.")


@webhook.command()
@with_application
def again() -> None:
    """Send again what was given up after three days."""
    click.echo(f"Messages that are sent again: {services.send_again(session(), site().now())}.")
