"""The technical page of an instrument: how its items and facets hold together over many leaders.

For those who look after a questionnaire, never for a leader. It is worked out from
releases, so its rows are leaders and its values means of groups: single answers are
gone, and coefficients of means are higher than those of single raters would be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from questionnaires.definition import Questionnaire, Theme
from reports.release import OTHERS, Release, Scope
from reports.reliability import OneWay, cronbach_alpha, icc_one_way, mcdonald_omega

FEWEST_LEADERS = 30


class TooFewLeaders(ValueError):
    """So few leaders that a coefficient would say more about them than about the instrument."""


@dataclass(frozen=True)
class Estimate:
    """A coefficient, or the reason why there is none; `leaders` stand behind it."""

    leaders: int
    value: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Internal:
    """Alpha and omega of a theme over its items or its facets."""

    theme: str
    parts: Scope
    alpha: Estimate
    omega: Estimate


@dataclass(frozen=True)
class Between:
    """How far the groups around one leader see a theme alike, measured by how leaders differ."""

    theme: str
    leaders: int
    icc: OneWay | None
    reason: str | None = None


@dataclass(frozen=True)
class Statement:
    """An item as all others see it, in points of the scale; higher is healthier.

    `mean` and `sd` are over leaders, `with_rest` is the correlation with the mean of the
    theme's other items; missing below thirty leaders, or where all have the same mean.
    """

    item: str
    leaders: int
    mean: float | None
    sd: float | None
    with_rest: float | None


@dataclass(frozen=True)
class TechnicalPage:
    """What can be said of an instrument."""

    leaders: int
    internal: tuple[Internal, ...]
    between: tuple[Between, ...]
    statements: tuple[Statement, ...]


def technical_page(releases: Sequence[Release], questionnaire: Questionnaire) -> TechnicalPage:
    """Return the technical page over releases of one questionnaire, one release a leader.

    Raises TooFewLeaders below thirty; coefficients for which fewer leaders have every
    part are missing with the reason.
    """
    if len(releases) < FEWEST_LEADERS:
        raise TooFewLeaders(
            f"{len(releases)} leaders have a release of {questionnaire.name}; the technical page "
            f"begins at {FEWEST_LEADERS}"
        )
    themes = questionnaire.structure.themes
    return TechnicalPage(
        leaders=len(releases),
        internal=tuple(
            internal(theme.id, scope, _means(releases, scope, parts))
            for theme in themes
            for scope, parts in _parts(theme).items()
        ),
        between=tuple(between(theme.id, releases) for theme in themes),
        statements=tuple(
            each for theme in themes for each in statements(releases, _parts(theme)["item"])
        ),
    )


def internal(theme: str, scope: Scope, means: pd.DataFrame) -> Internal:
    """Return alpha and omega over `means`: a row a leader, a column an item or facet."""
    return Internal(
        theme,
        scope,
        alpha=_estimate(cronbach_alpha, means),
        omega=_estimate(mcdonald_omega, means),
    )


def between(theme: str, releases: Sequence[Release]) -> Between:
    """Return the intraclass correlations of a theme: groups' means within leaders."""
    rows = [
        (number, figure.mean)
        for number, release in enumerate(releases)
        for figure in release.figures
        if (figure.scope, figure.key) == ("theme", theme) and figure.of in _anonymous(release)
    ]
    frame = pd.DataFrame(rows, columns=["leader", "mean"]).dropna()
    leaders = frame["leader"].nunique()
    if leaders < FEWEST_LEADERS:
        return Between(theme, leaders, None, _too_few(leaders))
    try:
        return Between(theme, leaders, icc_one_way(frame["mean"], frame["leader"].astype(str)))
    except ValueError as reason:
        return Between(theme, leaders, None, str(reason))


def statements(releases: Sequence[Release], items: Sequence[str]) -> list[Statement]:
    """Return the statistics of one theme's items."""
    means = _means(releases, "item", items)
    found = []
    for item in items:
        known = means[item].dropna()
        enough = len(known) >= FEWEST_LEADERS
        rest = means.drop(columns=item).mean(axis="columns")
        both = pd.DataFrame({"item": known, "rest": rest}).dropna()
        varies = len(both) >= FEWEST_LEADERS and (both.std() > 0).all()
        found.append(
            Statement(
                item=item,
                leaders=len(known),
                mean=float(known.mean()) if enough else None,
                sd=float(known.std(ddof=1)) if enough else None,
                with_rest=float(both["item"].corr(both["rest"])) if varies else None,
            )
        )
    return found


def _estimate(measure: Callable[[pd.DataFrame], float], means: pd.DataFrame) -> Estimate:
    leaders = len(means.dropna())
    if leaders < FEWEST_LEADERS:
        return Estimate(leaders, None, _too_few(leaders))
    try:
        return Estimate(leaders, measure(means))
    except ValueError as reason:
        return Estimate(leaders, None, str(reason))


def _too_few(leaders: int) -> str:
    return f"{leaders} leaders have every part; {FEWEST_LEADERS} are needed"


def _parts(theme: Theme) -> dict[Scope, list[str]]:
    return {
        "item": [item.id for facet in theme.facets for item in facet.items],
        "facet": [facet.id for facet in theme.facets],
    }


def _anonymous(release: Release) -> set[str]:
    return {atom.id for atom in release.atoms if not atom.identified}


def _means(releases: Sequence[Release], scope: Scope, keys: Sequence[str]) -> pd.DataFrame:
    """Return what all others see: a row a leader, a column a key, missing where not printed."""
    rows = [
        {f.key: f.mean for f in release.figures if (f.scope, f.of) == (scope, OTHERS)}
        for release in releases
    ]
    return pd.DataFrame(rows).reindex(columns=list(keys)).astype("float64")
