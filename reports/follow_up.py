"""Two rounds of one leader beside each other: what was asked alike, and what has changed clearly.

Only printed figures of whole groups are compared, never persons, and only of groups that are
put together alike in both rounds. It tells nothing that the two previews do not tell.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from questionnaires.alike import Asked, facets_asked_alike
from questionnaires.definition import Questionnaire
from reports.change import FEWEST, Change, change, clear_from
from reports.release import OTHERS, Figure, Release, Scope

# Figures are printed with one decimal, and compared as printed.
STEP = 0.1
ROUNDING = 1e-9


class NotAFollowUp(ValueError):
    """Two releases that are no earlier and later round with one questionnaire."""


@dataclass(frozen=True)
class Compared:
    """A theme or facet as the same group saw it in the earlier and in the later round."""

    before: Figure
    after: Figure
    change: Change

    @property
    def scope(self) -> Scope:
        """What is compared: a theme or a facet."""
        return self.after.scope

    @property
    def key(self) -> str:
        """The theme's or facet's id."""
        return self.after.key

    @property
    def of(self) -> str:
        """Who sees it: a group of the later round, or all others."""
        return self.after.of

    @property
    def least(self) -> float:
        """The smallest difference of printed figures that counts as clear here, in points."""
        exact = clear_from(self.before.n, self.after.n) + STEP / 2
        return math.ceil(exact / STEP - ROUNDING) * STEP


def compared(
    before: Release, asked_before: Questionnaire, after: Release, asked_after: Questionnaire
) -> tuple[Compared, ...]:
    """Return themes as all others and each group see them, then facets as all others do.

    Each release comes with the questionnaire that it was asked with. Left out is what was
    asked in other words, of other relationships, or of fewer than five in either round.

    Raises NotAFollowUp for another questionnaire, or no later day.
    """
    _check(before, after)
    asked = (asked_before, before.level), (asked_after, after.level)
    facets = facets_asked_alike(asked)
    groups = [atom.id for atom in after.atoms if not atom.identified]
    seen_by = (OTHERS, *groups) if len(groups) > 1 else (OTHERS,)
    places: list[tuple[Scope, str, str]] = [
        ("theme", key, of) for key in _themes(*asked, facets) for of in seen_by
    ]
    places += [("facet", key, OTHERS) for key in facets]
    return tuple(pair for place in places if (pair := _pair(before, after, *place)))


def _pair(before: Release, after: Release, scope: Scope, key: str, of: str) -> Compared | None:
    then, now = before.figure(scope, key, of), after.figure(scope, key, of)
    if then is None or now is None or then.mean is None or now.mean is None:
        return None
    if _behind(before, then) != _behind(after, now) or min(then.n, now.n) < FEWEST:
        return None
    return Compared(then, now, change(then.mean, then.n, now.mean, now.n, STEP))


def _check(before: Release, after: Release) -> None:
    if before.questionnaire.name != after.questionnaire.name:
        raise NotAFollowUp(
            f"the earlier round asked with {before.questionnaire.name}, this one with "
            f"{after.questionnaire.name}"
        )
    if before.closed_on >= after.closed_on:
        raise NotAFollowUp(
            f"the earlier round ended on {before.closed_on}, this one on {after.closed_on}"
        )


def _behind(release: Release, figure: Figure) -> frozenset[str]:
    """Return the relationships whose answers are in a figure of a group or of all others."""
    return frozenset(
        relationship
        for atom in release.atoms
        if not atom.identified and figure.of in (OTHERS, atom.id)
        for part in [release.figure(figure.scope, figure.key, atom.id)]
        if part is not None and part.mean is not None
        for relationship in atom.relationships
    )


def _themes(before: Asked, after: Asked, facets: Collection[str]) -> list[str]:
    """Return the themes that both rounds asked with the same facets, all of them alike."""
    then, now = _facets_by_theme(*before), _facets_by_theme(*after)
    return [
        theme for theme, asked in now.items() if then.get(theme) == asked and asked <= set(facets)
    ]


def _facets_by_theme(questionnaire: Questionnaire, level: str) -> dict[str, set[str]]:
    themes: dict[str, set[str]] = {}
    for facet in questionnaire.asked_at(level):
        themes.setdefault(facet.theme, set()).add(facet.id)
    return themes
