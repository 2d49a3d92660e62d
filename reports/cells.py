"""What each group says of each item, facet and theme, built from the bottom up.

For each anonymous group and facet there is one base: either the means of all
its items, where at least `items_from` raters answered each of them, or one
mean of the raters' facet scores. A facet is the mean of its printed items, a
theme of its printed facets, "others" of the printed groups. So no two base
cells share an answer, each concerns at least k raters, and whatever stands
above them tells nothing new: no sum or difference of printed figures concerns
fewer than k raters. (A theme mean taken over raters would: printed beside the
facets, one skipped answer gives away that rater's mean.)

A mean near an end of the scale is kept only as 0.3 from that end, and counts as
that in everything above it: a unanimous answer would be everybody's answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from questionnaires.definition import AskedFacet, Item, Scale
from reports.partition import Atom
from reports.ratings import IDENTIFIED, RELATIONSHIP
from reports.release import Rules, Scope
from reports.scores import facet_scores, no_chance, scored, theme_scores

NOT_SEEN_FROM = 0.4


@dataclass(frozen=True)
class Cell:
    """What one group says of one place, before rounding.

    `n` is the fewest raters behind any part. Without a mean, too many of them
    had no chance to see the behaviour.
    """

    n: int
    mean: float | None


Place = tuple[Scope, str]
Cells = dict[Place, Cell]


@dataclass(frozen=True)
class Asked:
    """What was asked, and the rules by which it may be shown."""

    facets: tuple[AskedFacet, ...]
    scale: Scale
    rules: Rules

    @property
    def items(self) -> tuple[Item, ...]:
        """Every asked item, in order."""
        return tuple(item for facet in self.facets for item in facet.items)

    @property
    def themes(self) -> tuple[str, ...]:
        """Every asked theme, in order."""
        return tuple(dict.fromkeys(facet.theme for facet in self.facets))

    def facets_of(self, theme: str) -> tuple[AskedFacet, ...]:
        """Return the facets of a theme."""
        return tuple(facet for facet in self.facets if facet.theme == theme)

    def items_of(self, place: Place) -> tuple[Item, ...]:
        """Return the items that a theme or facet is made of, or the item itself."""
        return tuple(
            item
            for facet in self.facets
            for item in facet.items
            if place[1] in (facet.theme, facet.id, item.id)
        )


def members(ratings: pd.DataFrame, atom: Atom) -> pd.DataFrame:
    """Return the rows of an atom's raters; identified ones count in the frame's order."""
    if atom.identified:
        number = int(atom.id.rsplit("-", 1)[1])
        return ratings[ratings[IDENTIFIED]].iloc[[number - 1]]
    anonymous = ratings[~ratings[IDENTIFIED]]
    return anonymous[anonymous[RELATIONSHIP].isin(atom.relationships)]


def person_cells(asked: Asked, row: pd.DataFrame) -> Cells:
    """Return the cells of one person who is shown alone: self, or an identified rater.

    `row` is that rater's row of a ratings frame, or empty.
    """
    if row.empty:
        return {}
    scores = scored(row, asked.items, asked.scale.points)
    found: dict[Place, float] = {}
    for theme in asked.themes:
        of_theme = theme_scores(part(scores, asked.items_of(("theme", theme))))
        found["theme", theme] = of_theme.iloc[0]
    for facet in asked.facets:
        found["facet", facet.id] = facet_scores(part(scores, facet.items)).iloc[0]
    for item, score in zip(asked.items, scores.to_numpy()[0], strict=True):
        found["item", item.id] = score
    return {place: Cell(1, float(score)) for place, score in found.items() if not math.isnan(score)}


def group_cells(asked: Asked, rows: pd.DataFrame) -> Cells:
    """Return the cells of an anonymous group (its rows of a ratings frame)."""
    scores = scored(rows, asked.items, asked.scale.points)
    unseen = no_chance(rows, asked.items)
    cells: Cells = {}
    for facet in asked.facets:
        cells |= _facet_cells(asked, facet, part(scores, facet.items), part(unseen, facet.items))
    for theme in asked.themes:
        if (cell := theme_cell(asked.facets_of(theme), cells)) is not None:
            cells["theme", theme] = cell
    return cells


def united_cells(groups: Sequence[Cells]) -> Cells:
    """Return the cells of all groups together, from what is printed of each."""
    united: Cells = {}
    for place in dict.fromkeys(place for cells in groups for place in cells):
        cells = [group[place] for group in groups if place in group]
        seen = [cell for cell in cells if cell.mean is not None]
        n = sum(cell.n for cell in seen or cells)
        mean = _mean([(cell, cell.n) for cell in seen]) if seen else None
        united[place] = Cell(n, mean)
    return united


def part(frame: pd.DataFrame, items: Sequence[Item]) -> pd.DataFrame:
    """Return the columns of a facet, a theme or an item, which stand side by side."""
    # By position: looking up both ends by name takes seven times as long.
    first = list(frame.columns).index(items[0].id)
    return frame.iloc[:, first : first + len(items)]


def _facet_cells(
    asked: Asked, facet: AskedFacet, scores: pd.DataFrame, unseen: pd.DataFrame
) -> Cells:
    place: Place = ("facet", facet.id)
    floor = asked.rules.items_from
    enough = scores.notna().to_numpy().sum(axis=0) >= floor
    if enough.all() and not (unseen.to_numpy().mean(axis=0) > NOT_SEEN_FROM).any():
        items: Cells = {("item", item.id): _base(asked, scores[item.id]) for item in facet.items}
        parts = list(items.values())
        whole = Cell(min(cell.n for cell in parts), _mean([(cell, 1) for cell in parts]))
        return {place: whole, **items}
    if unseen.to_numpy().mean() > NOT_SEEN_FROM:
        return {place: Cell(len(scores), None)}
    raters = facet_scores(scores).dropna()
    # A facet of one item is that item, and held to its floor.
    if len(raters) < (asked.rules.k if len(facet.items) > 1 else floor):
        return {}
    return {place: _base(asked, raters)}


def _base(asked: Asked, scores: pd.Series[float]) -> Cell:
    answered = scores.to_numpy()[scores.notna().to_numpy()]
    low, high = 1 + asked.rules.ends_from, asked.scale.points - asked.rules.ends_from
    return Cell(
        n=len(answered),
        mean=min(max(float(answered.mean()), low), high),
    )


def theme_cell(facets: Sequence[AskedFacet], cells: Mapping[Place, Cell]) -> Cell | None:
    """Return the mean of a theme's printed facets, if they hold half of its items."""
    parts = [
        (cell, len(facet.items))
        for facet in facets
        if (cell := cells.get(("facet", facet.id))) is not None and cell.mean is not None
    ]
    held = sum(items for _, items in parts)
    if not parts or held < math.ceil(sum(len(facet.items) for facet in facets) / 2):
        return None
    return Cell(min(cell.n for cell, _ in parts), _mean(parts))


def _mean(parts: Sequence[tuple[Cell, int]]) -> float:
    """Return the weighted mean of cells that all have one."""
    total = sum(weight for _, weight in parts)
    return sum(cell.mean * weight for cell, weight in parts if cell.mean is not None) / total
