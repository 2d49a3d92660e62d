"""Small rounds by hand, and what linear algebra gets out of their figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from questionnaires.definition import AskedFacet, Item, Scale
from reports.answers import Answers
from reports.cells import Asked, group_cells
from reports.ratings import ratings_frame
from reports.rules import rules
from reports.scores import facet_scores, scored, theme_scores

Figures = Callable[[Asked, pd.DataFrame], Mapping[object, float]]
SCALE = Scale(points=5, often_from=3.5)


def asked(*sizes: int, k: int = 3) -> Asked:
    """One theme T whose facets F0, F1, … have so many items, called F0a, F0b, …."""
    facets = tuple(
        AskedFacet(
            "T", f"F{f}", tuple(Item(id=f"F{f}{'abc'[i]}", key="+", levels={}) for i in range(size))
        )
        for f, size in enumerate(sizes)
    )
    return Asked(facets, SCALE, rules(k))


def group(what: Asked, *rows: Sequence[int | None]) -> pd.DataFrame:
    """Return raters' rows; None is skipped, 0 no chance to see."""
    ids = [item.id for item in what.items]
    answers = [
        Answers("peer", False, {i: a for i, a in zip(ids, row, strict=True) if a is not None}, {})
        for row in rows
    ]
    return ratings_frame(answers, ids, points=5)


def usual_figures(what: Asked, rows: pd.DataFrame) -> dict[object, float]:
    """The textbook way: items, facets and the theme each as a mean over raters."""
    scores = scored(rows, what.items, 5)
    made: dict[object, float] = {("theme", "T"): float(theme_scores(scores).mean())}
    for facet in what.facets:
        part = scores[[item.id for item in facet.items]]
        made["facet", facet.id] = float(facet_scores(part).mean())
        for item in facet.items:
            if scores[item.id].count() >= 5:
                made["item", item.id] = float(scores[item.id].mean())
    return {place: mean for place, mean in made.items() if not math.isnan(mean)}


def our_figures(what: Asked, rows: pd.DataFrame) -> dict[object, float]:
    cells = group_cells(what, rows)
    return {place: cell.mean for place, cell in cells.items() if cell.mean is not None}


def fewest_concerned(figures: Figures, what: Asked, rows: pd.DataFrame, upto: int) -> int:
    """Return the fewest raters that some linear combination of the figures concerns.

    Answers are moved one by one to see which figures they move, so this knows
    nothing of how figures are made. Counts only below `upto`.
    """
    ids = [item.id for item in what.items]
    before = figures(what, rows)
    columns: list[list[float]] = []
    owners: list[int] = []
    for rater, item in itertools.product(rows.index, ids):
        if not rows.loc[rater, item] > 0:
            continue
        moved = rows.copy()
        moved.loc[rater, item] += 0.01
        after = figures(what, moved)
        columns.append([after[place] - before[place] for place in before])
        owners.append(rater)
    effects, whose = np.array(columns).T * 100, np.array(owners)
    rank = np.linalg.matrix_rank(effects, tol=1e-6)
    for size in range(1, upto):
        for some in itertools.combinations(rows.index, size):
            rest = effects[:, ~np.isin(whose, some)]
            # Combinations that vanish for everybody else concern only these few.
            if np.linalg.matrix_rank(rest, tol=1e-6) < rank:
                return size
    return upto
