"""Several leaders together: from their releases to one, in which none of them can be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from questionnaires.alike import facets_asked_alike
from questionnaires.definition import AskedFacet, Questionnaire
from reports import intervals
from reports.cells import Cell, theme_cell
from reports.figures import end, one_decimal
from reports.practices import practices, strengths
from reports.release import OTHERS, Figure, Release, Scope, Source, TeamRelease, sha256
from reports.rules import ENDS_FROM, LEADERS_FROM

Reason = Literal["too_few", "one_leader_twice", "asked_otherwise"]


class NoTeam(ValueError):
    """Releases that may not be put together: why, and the leader whom it is about, if any."""

    def __init__(self, reason: Reason, leader: str = "") -> None:
        self.reason, self.leader = reason, leader
        super().__init__(f"{reason} {leader}".strip())


def together(
    team: str, releases: Sequence[Release], questionnaire: Questionnaire, language: str
) -> TeamRelease:
    """Return what the releases of a team's leaders say together.

    Only what all others see is taken, only where it was asked of all leaders in the same words,
    each leader weighted by the raters.

    Raises NoTeam for fewer than four leaders, one leader (by name) twice, or other words.
    """
    _check(releases, questionnaire)
    levels = tuple(dict.fromkeys(release.level for release in releases))
    ordered = sorted(releases, key=lambda release: release.leader)
    behind: dict[str, tuple[str, ...]] = {}
    cells: dict[str, Cell] = {}
    for key in facets_asked_alike([(questionnaire, level) for level in levels]):
        seen = {
            sha256(release.to_json()): figure
            for release in ordered
            if (figure := release.figure("facet", key, OTHERS)) and figure.mean is not None
        }
        if len(seen) >= LEADERS_FROM:
            behind[key] = tuple(seen)
            cells[key] = _united(list(seen.values()))
    asked = questionnaire.asked_at(levels[0])
    figures = tuple(_figures(asked, cells, questionnaire.structure.scale.points))
    strong = strengths(figures, questionnaire.structure.scale.often_from)
    focus = [key for key in cells if any(key in questionnaire.focus_facets_at(x) for x in levels)]
    return TeamRelease(
        questionnaire=Source.of(questionnaire),
        language=language,
        team=team,
        leaders=tuple(release.leader for release in ordered),
        levels=tuple(level for level in questionnaire.structure.levels if level in levels),
        releases=tuple(sha256(release.to_json()) for release in ordered),
        first_closed_on=min(release.closed_on for release in releases),
        closed_on=max(release.closed_on for release in releases),
        answered=sum(a.n for release in releases for a in release.atoms if not a.identified),
        leaders_from=LEADERS_FROM,
        behind=behind,
        figures=figures,
        strengths=strong,
        practices=practices(figures, focus, strong),
    )


def _check(releases: Sequence[Release], questionnaire: Questionnaire) -> None:
    if len(releases) < LEADERS_FROM:
        raise NoTeam("too_few")
    names = [release.leader for release in releases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NoTeam("one_leader_twice", twice[0])
    for release in releases:
        if release.questionnaire.digest != questionnaire.digest():
            raise NoTeam("asked_otherwise", release.leader)


def _united(seen: Sequence[Figure]) -> Cell:
    n = sum(figure.n for figure in seen)
    return Cell(n, sum((figure.mean or 0.0) * figure.n for figure in seen) / n)


def _figures(
    asked: Sequence[AskedFacet], cells: Mapping[str, Cell], points: int
) -> Iterator[Figure]:
    """Give the themes of which half of the items are shown, then the facets."""
    for theme in dict.fromkeys(facet.theme for facet in asked):
        facets = [facet for facet in asked if facet.theme == theme]
        cell = theme_cell(facets, {("facet", key): cell for key, cell in cells.items()})
        if cell is not None:
            yield _figure("theme", theme, cell, points)
    for key, cell in cells.items():
        yield _figure("facet", key, cell, points)


def _figure(scope: Scope, key: str, cell: Cell, points: int) -> Figure:
    if cell.mean is None:
        raise ValueError(f"{key} has no mean")
    low, high = intervals.fixed_band(cell.mean, cell.n, points)
    return Figure(
        scope=scope,
        key=key,
        of=OTHERS,
        n=cell.n,
        mean=one_decimal(cell.mean),
        end_coded=end(cell.mean, points, ENDS_FROM),
        band=(one_decimal(low), one_decimal(high)),
    )
