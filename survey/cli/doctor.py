"""Looking an installation over."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from survey.cli.application import with_application
from survey.db import session
from survey.doctor import Finding, custody_level, examine
from survey.site import site
from survey.upkeep import look_over


@click.command()
@with_application
def doctor() -> None:
    """Say whether what protects raters and what keeps the program going stands as it should.

    Each finding says how to mend it; no mail is sent. Ends with exit code 1 if something has to be
    mended.
    """
    level = custody_level(site(), session())
    findings = [*examine(site(), session()), *look_over(site(), session())]
    session().rollback()
    for sentence in level:
        click.echo(sentence)
    if tell(findings):
        sys.exit(1)


def tell(findings: Sequence[Finding]) -> bool:
    """Print findings; say whether something has to be mended."""
    for finding in findings:
        click.echo(f"{'MEND' if finding.cure else 'ok'}\t{finding.found}")
        if finding.cure:
            click.echo(f"\t{finding.cure}")
    return any(finding.cure for finding in findings)
