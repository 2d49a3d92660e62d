"""The technical page of a questionnaire, from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from survey.cli.application import with_application
from survey.db import session
from survey.services import questionnaires

if TYPE_CHECKING:
    from reports.instrument import Estimate, TechnicalPage

ABOUT = (
    "Worked out from the means that were released, one release a leader. Single answers are gone:",
    "coefficients of means are higher than those of single raters would be.",
)


@click.command()
@click.argument("name", default="technical_leader")
@with_application
def instrument(name: str) -> None:
    """Print how the items of questionnaire NAME hold together, from thirty leaders on.

    No leader's figure can be read from it.
    """
    from reports.instrument import TooFewLeaders, technical_page

    questionnaire = questionnaires.current(session(), name)
    releases = questionnaires.latest_releases(session(), name)
    try:
        page = technical_page(releases, questionnaire)
    except TooFewLeaders as reason:
        raise click.ClickException(f"{reason}.") from None
    click.echo("\n".join(_lines(name, page)))


def _lines(name: str, page: TechnicalPage) -> Iterator[str]:
    yield from (f"{name}, over {page.leaders} leaders", *ABOUT, "")
    yield f"{'theme':8}{'over':8}{'alpha':>8}{'omega':>8}{'leaders':>9}"
    for each in page.internal:
        found = f"{_two(each.alpha)}{_two(each.omega)}{each.alpha.leaders:9}"
        yield f"{each.theme:8}{each.parts + 's':8}{found}{_why(each.alpha, each.omega)}"
    yield ""
    yield f"{'theme':8}{'ICC(1)':>8}{'ICC(1,k)':>10}{'k':>6}{'leaders':>9}"
    for theme in page.between:
        found = f"{'–':>8}{'–':>10}{'–':>6}"
        if theme.icc:
            found = f"{theme.icc.icc1:8.2f}{theme.icc.icck:10.2f}{theme.icc.k_mean:6.1f}"
        yield f"{theme.theme:8}{found}{theme.leaders:9}" + (f"  {theme.reason or ''}".rstrip())
    yield "Groups' means within leaders: how alike the groups around one leader see a theme."
    yield ""
    yield f"{'item':8}{'mean':>8}{'sd':>8}{'with rest':>11}{'leaders':>9}"
    for item in page.statements:
        mean, sd, rest = (
            f"{value:.{digits}f}" if value is not None else "–"
            for value, digits in ((item.mean, 1), (item.sd, 1), (item.with_rest, 2))
        )
        yield f"{item.item:8}{mean:>8}{sd:>8}{rest:>11}{item.leaders:9}"


def _two(estimate: Estimate) -> str:
    return f"{'–':>8}" if estimate.value is None else f"{estimate.value:8.2f}"


def _why(*estimates: Estimate) -> str:
    reasons = dict.fromkeys(each.reason for each in estimates if each.reason)
    return f"  {'; '.join(reasons)}" if reasons else ""
