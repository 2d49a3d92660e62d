"""Two rounds of one leader beside each other: what was asked alike, and what has changed clearly.

Only printed figures of whole groups are compared, never persons, and only of groups that are
put together alike in both rounds. It tells nothing that the two previews do not tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from questionnaires.definition import AskedFacet, Questionnaire
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
    facets, themes = _asked_alike(
        _Words(asked_before, before.level), _Words(asked_after, after.level)
    )
    groups = [atom.id for atom in after.atoms if not atom.identified]
    seen_by = (OTHERS, *groups) if len(groups) > 1 else (OTHERS,)
    places: list[tuple[Scope, str, str]] = [("theme", key, of) for key in themes for of in seen_by]
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


@dataclass(frozen=True)
class _Words:
    """What a level reads: the scale, and each item in every language."""

    asked: Questionnaire
    level: str

    def of_scale(self, languages: Iterable[str]) -> list[object]:
        scales = [self.asked.texts[language].scale for language in languages]
        return [self.asked.structure.scale.points, *((s.stem, s.points) for s in scales)]

    def of_facet(self, facet: AskedFacet, languages: Iterable[str]) -> list[object]:
        return [
            (item.id, item.key, words.self_, words.other)
            for language in languages
            for item in facet.items
            for words in [self.asked.texts[language].items[item.id].at(self.level)]
        ]


def _asked_alike(before: _Words, after: _Words) -> tuple[list[str], list[str]]:
    """Return the facets and the themes that were asked in the same words on the same scale."""
    languages = sorted(before.asked.texts.keys() & after.asked.texts.keys())
    if not languages or before.of_scale(languages) != after.of_scale(languages):
        return [], []
    then = {facet.id: facet for facet in before.asked.asked_at(before.level)}
    now = {facet.id: facet for facet in after.asked.asked_at(after.level)}
    facets = [
        key
        for key, facet in now.items()
        if key in then and before.of_facet(then[key], languages) == after.of_facet(facet, languages)
    ]
    themes = [
        theme
        for theme in dict.fromkeys(facet.theme for facet in now.values())
        if set(facets) >= _facets_of(theme, now) == _facets_of(theme, then)
    ]
    return facets, themes


def _facets_of(theme: str, facets: Mapping[str, AskedFacet]) -> set[str]:
    return {key for key, facet in facets.items() if facet.theme == theme}
