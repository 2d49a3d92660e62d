"""Trustees from the command line: making a key, appointing its keeper, opening a round with it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from survey import jobs, trustee_key
from survey.cli.application import cleaned_up, person_called, round_called, with_application
from survey.db import session
from survey.errors import Refused, marked
from survey.sealing import new_key_pair, public_of
from survey.services import trustees
from survey.site import site

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class FileThere(Refused):
    """A key would be written over a file."""

    message = marked("%(path)s is there already; nothing was written.")


class NotWritten(Refused):
    """A key could not be stored."""

    message = marked("%(path)s cannot be written: %(reason)s.")


class KeyOfAnother(Refused):
    """A key that belongs to another trustee than the round's."""

    message = marked(
        "This is not the key of the round's trustee %(name)s, whose fingerprint is %(fingerprint)s."
    )


@click.group()
def trustee() -> None:
    """Trustees: somebody outside the server's administration who must take part in every close.

    The trustee makes a key with `new`, on a machine of their own, and hands over
    the public half. Whoever runs the server appoints them with it. When a round's
    day has passed, the trustee opens it with `open`, on the closing side.
    """


@trustee.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.password_option("--passphrase", prompt="A passphrase for the key")
def new(path: Path, passphrase: str) -> None:
    """Make a key: PATH.key to keep, PATH.pub to hand over. Needs no server."""
    kept, public = Path(f"{path}.key"), Path(f"{path}.pub")
    pair = new_key_pair()
    content = trustee_key.private_file(pair, passphrase)
    try:
        for file in (kept, public):
            if file.exists():
                raise FileThere(path=file)
        opened = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as written:
            written.write(content)
        public.write_text(trustee_key.public_file(pair.public))
    except OSError as error:
        raise NotWritten(path=error.filename, reason=error.strerror) from None
    click.echo(f"{kept} is the key: keep it, and a copy elsewhere. Without it and its passphrase")
    click.echo("no round can be opened that is sealed to it; such a round ends without a preview.")
    click.echo(f"{public} is to be handed over to whoever runs the server.")
    click.echo(f"Fingerprint, as raters will see it: {trustee_key.fingerprint(pair.public)}")


@trustee.command()
@click.argument("address")
@click.argument("public", type=A_FILE)
@with_application
def appoint(address: str, public: Path) -> None:
    """Seal rounds that open from now on to the key in PUBLIC, too, kept by ADDRESS."""
    key = trustee_key.read_public(public.read_text(errors="replace"))
    person = person_called(address)
    trustees.appoint(session(), site().keyring, person, key, site().now())
    click.echo(f"{person.name} is the trustee of rounds that open from now on.")
    click.echo(f"Fingerprint, as raters will see it: {trustee_key.fingerprint(key)}")


@trustee.command()
@with_application
def retire() -> None:
    """Seal rounds that open from now on to no trustee; open rounds keep theirs."""
    trustees.retire(session(), site().now())
    click.echo("Rounds that open from now on have no trustee.")


@trustee.command("list")
@with_application
def list_() -> None:
    """List trustees: fingerprint, since when retired, address, name."""
    for each in trustees.every(session()):
        until = each.retired_on or "now"
        fingerprint = trustee_key.fingerprint(each.public)
        click.echo(f"{fingerprint}\t{until}\t{each.person.email}\t{each.person.name}")


@trustee.command("open")
@click.argument("name", metavar="ROUND")
@click.option("--key", "path", required=True, type=A_FILE, help="The trustee's key file.")
@click.option("--passphrase", prompt="The key's passphrase", hide_input=True)
@with_application
def open_(name: str, path: Path, passphrase: str) -> None:
    """Close ROUND, whose day has passed, with its trustee's key."""
    round_ = round_called(name)
    private = trustee_key.read_private(path.read_text(errors="replace"), passphrase)
    if round_.trustee and public_of(private) != round_.trustee.public:
        fingerprint = trustee_key.fingerprint(round_.trustee.public)
        raise KeyOfAnother(name=round_.trustee.person.name, fingerprint=fingerprint)
    jobs.close(site(), session(), round_.id, private)
    click.echo(f"The round is closed: its release stands. {cleaned_up()}")
