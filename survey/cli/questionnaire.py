"""Questionnaires from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from questionnaires import loader
from questionnaires.loader import QuestionnaireInvalid


@click.group()
def questionnaire() -> None:
    """Questionnaires: what is asked."""


@questionnaire.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check the questionnaire in PATH; name file, line and field of every mistake."""
    try:
        read = loader.read(path)
    except QuestionnaireInvalid as error:
        for mistake in error.mistakes:
            click.echo(str(mistake), err=True)
        sys.exit(1)
    items, languages = len(list(read.structure.items())), ", ".join(read.texts)
    click.echo(f"{read.name} {read.version}: {items} items, in {languages}. No mistakes.")


@questionnaire.command("list")
def list_() -> None:
    """List the questionnaires that ship with the program."""
    for name in loader.builtin_names():
        read = loader.builtin(name)
        click.echo(f"{name}\t{read.version}\t{', '.join(read.texts)}")
