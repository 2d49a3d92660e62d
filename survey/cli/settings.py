"""What can be set, and what is set here."""

from __future__ import annotations

import re

import click

from survey.config import PREFIX, Settings, from_environment

SECRETS = ("metrics_key", "oidc_secret", "webhook_secret")
PASSWORD = re.compile(r"(?<=://)([^/@]*):[^@]*@")
PAGE = """# Settings

All settings are environment variables. `preview360` refuses to start with one that makes no sense
or is none, and names it. `preview360 settings` prints what is set here, without passwords; this
page is what `preview360 settings --markdown` prints.

| Variable | Default | Means |
|---|---|---|
"""


@click.command()
@click.option("--markdown", is_flag=True, help="Print the page of the documentation.")
def settings(*, markdown: bool) -> None:
    """Print every setting: its value here, whether it was set or is the default, what it means."""
    if markdown:
        click.echo(page(), nl=False)
        return
    here = from_environment()
    for name, field in Settings.model_fields.items():
        origin = "set" if name in here.model_fields_set else "default"
        value = _without_secrets(name, str(getattr(here, name)))
        click.echo(f"{PREFIX}{name.upper()}\t{value}\t{origin}\t{field.description}")


def page() -> str:
    """Return the page of the documentation that lists all settings."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_escaped(str(field.default))} | "
        f"{_escaped(field.description or '')} |".replace("|  |", "| |")
        for name, field in Settings.model_fields.items()
    ]
    return PAGE + "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _without_secrets(name: str, value: str) -> str:
    if name in SECRETS and value:
        return "…"
    return PASSWORD.sub(r"\1:…@", value)
