"""From the ratings of a whole round to the rounded figures that may be printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from questionnaires.definition import SELF
from reports import gaps, intervals
from reports.agreement import spread
from reports.cells import (
    Asked,
    Cell,
    Cells,
    Place,
    group_cells,
    members,
    part,
    person_cells,
    united_cells,
)
from reports.intervals import Band
from reports.partition import Atom
from reports.ratings import RELATIONSHIP
from reports.release import OTHERS, End, Figure, Gap, Spread
from reports.scores import answered_by, scored, theme_scores

SPREAD_FROM = {"theme": 5, "facet": 8}
GAP_FROM = {"theme": 3, "facet": 5, "item": 8}
CLOSE = 1e-9


def figures(asked: Asked, ratings: pd.DataFrame, atoms: Sequence[Atom]) -> tuple[Figure, ...]:
    """Return every figure that may be printed: self, all others, then each atom.

    `ratings` is the frame of the whole round (see `reports.ratings`), `atoms`
    its partition.
    """
    own = person_cells(asked, ratings[ratings[RELATIONSHIP] == SELF])
    rows = {atom: members(ratings, atom) for atom in atoms}
    anonymous = {atom: group_cells(asked, rows[atom]) for atom in atoms if not atom.identified}
    made = list(_persons(own, SELF))
    made += _all_others(asked, rows, own, anonymous)
    for atom in atoms:
        if atom.identified:
            seen = person_cells(asked, rows[atom])
            # One person's themes and facets, never single items.
            made += _persons({p: c for p, c in seen.items() if p[0] != "item"}, atom.id)
        else:
            made += (
                _figure(asked, place, atom.id, cell, _fixed_band(asked, cell))
                for place, cell in anonymous[atom].items()
            )
    return tuple(made)


def _persons(cells: Cells, of: str) -> Iterator[Figure]:
    for (scope, key), cell in cells.items():
        yield Figure(scope=scope, key=key, of=of, n=cell.n, mean=rounded(cell.mean))


def _all_others(
    asked: Asked, rows: Mapping[Atom, pd.DataFrame], own: Cells, groups: dict[Atom, Cells]
) -> Iterator[Figure]:
    scores = {atom: scored(rows[atom], asked.items, asked.scale.points) for atom in groups}
    together = pd.concat(scores.values())
    for place, cell in united_cells(list(groups.values())).items():
        shown = [
            atom
            for atom, cells in groups.items()
            if place in cells and cells[place].mean is not None
        ]
        frames = [scores[atom] for atom in shown or groups]
        raters = together if len(frames) == len(groups) else pd.concat(frames)
        # Nothing of how single items are spread is told, so they need not be cut out.
        answered = part(raters, asked.items_of(place)) if place[0] != "item" else raters
        band = _others_band(asked, place, cell, answered)
        figure = _figure(asked, place, OTHERS, cell, band)
        yield figure.model_copy(
            update={
                "spread": _spread(place, cell, answered),
                "gap": _gap(asked, place, own.get(place), cell, band),
            }
        )


def _figure(asked: Asked, place: Place, of: str, cell: Cell, band: Band | None) -> Figure:
    scope, key = place
    return Figure(
        scope=scope,
        key=key,
        of=of,
        n=cell.n,
        mean=rounded(cell.mean),
        end_coded=end(cell.mean, asked.scale.points, asked.rules.ends_from),
        band=(one_decimal(band[0]), one_decimal(band[1])) if band else None,
        not_seen=cell.mean is None,
    )


def end(mean: float | None, points: int, ends_from: float) -> End | None:
    """Return at which end of the scale a mean lies too near to be told; None for neither."""
    if mean is None:
        return None
    if mean <= 1 + ends_from + CLOSE:
        return "at_most"
    return "at_least" if mean >= points - ends_from - CLOSE else None


def _fixed_band(asked: Asked, cell: Cell) -> Band | None:
    if cell.mean is None or cell.n < intervals.FEWEST_FOR_FIXED:
        return None
    return intervals.fixed_band(cell.mean, cell.n, asked.scale.points)


def _others_band(asked: Asked, place: Place, cell: Cell, scores: pd.DataFrame) -> Band | None:
    """Return the band of all others together; only they may show their own spread.

    Two groups' spreads beside the whole would give a third group's.
    """
    if place[0] != "theme" or cell.mean is None or cell.n < intervals.FEWEST_FOR_MODERATED:
        return _fixed_band(asked, cell)
    raters = theme_scores(scores).dropna()
    # A theme is printed from its facets, each with raters of its own; few may have rated them all.
    if len(raters) < intervals.FEWEST_FOR_MODERATED:
        return _fixed_band(asked, cell)
    n = min(cell.n, len(raters))
    return intervals.moderated_band(cell.mean, float(raters.std(ddof=1)), n, asked.scale.points)


def _spread(place: Place, cell: Cell, scores: pd.DataFrame) -> Spread | None:
    floor = SPREAD_FROM.get(place[0])
    if floor is None or cell.mean is None or cell.n < floor:
        return None
    enough = answered_by(scores, floor)
    return None if enough.empty else spread(enough)


def _gap(
    asked: Asked, place: Place, own: Cell | None, others: Cell, band: Band | None
) -> Gap | None:
    if own is None or own.mean is None or others.mean is None or band is None:
        return None
    if others.n < GAP_FROM[place[0]]:
        return None
    view = gaps.view(own.mean, others.mean, band)
    return Gap(
        value=one_decimal(one_decimal(own.mean) - one_decimal(others.mean)),
        view=view,
        # By the printed mean, as strengths are: one page must not call often what another does not.
        field=gaps.field(own.mean, one_decimal(others.mean), view, asked.scale.often_from),
    )


def rounded(mean: float | None) -> float | None:
    """Return a mean with one decimal; None stays."""
    return None if mean is None else one_decimal(mean)


def one_decimal(value: float) -> float:
    """Return a number with one decimal, halves away from zero as people round."""
    return math.copysign(math.floor(abs(value) * 10 + 0.5 + CLOSE) / 10, value) + 0.0
