"""A rater's scores: answers turned so that more is better, and their means.

Missing answers, skipped or without a chance to see, are never filled in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from questionnaires.definition import Item
from reports.answers import NO_CHANCE

FEWEST_OF_A_FACET = 2


def scored(ratings: pd.DataFrame, items: Sequence[Item], points: int) -> pd.DataFrame:
    """Return scores 1…points where higher is healthier; NaN where there was no rating.

    `ratings` and the result have one row per rater and one column per item. A
    reverse-keyed item is turned here and never in what is stored: y = points + 1 − x.
    """
    columns = [item.id for item in items]
    # By numpy, as below: a small frame costs more than its numbers.
    values = ratings[columns].to_numpy(dtype=float, copy=True)
    values[values == NO_CHANCE] = math.nan
    turned = [item.key == "-" for item in items]
    values[:, turned] = points + 1 - values[:, turned]
    return pd.DataFrame(values, index=ratings.index, columns=columns)


def no_chance(ratings: pd.DataFrame, items: Sequence[Item]) -> pd.DataFrame:
    """Return where a rater had no chance to see a behaviour; raters × items, bool."""
    return ratings[[item.id for item in items]] == NO_CHANCE


def answered_by(scores: pd.DataFrame, at_least: int) -> pd.DataFrame:
    """Return the items (columns) that at least so many raters answered."""
    enough = scores.notna().to_numpy().sum(axis=0) >= at_least
    return scores if enough.all() else scores.loc[:, enough]


def facet_scores(scores: pd.DataFrame) -> pd.Series[float]:
    """Return each rater's mean over the items of one facet (the frame's columns).

    Missing for a rater with fewer than two answers; a facet of one asked item
    needs that one.
    """
    return _means(scores, at_least=min(FEWEST_OF_A_FACET, scores.shape[1]))


def theme_scores(scores: pd.DataFrame) -> pd.Series[float]:
    """Return each rater's mean over the items of one theme (the frame's columns).

    Missing for a rater who answered fewer than half of them, rounded up.
    """
    return _means(scores, at_least=math.ceil(scores.shape[1] / 2))


def _means(scores: pd.DataFrame, at_least: int) -> pd.Series[float]:
    # By numpy, since frames are this small and this is done for every facet of every group.
    values = scores.to_numpy()
    answered = ~np.isnan(values)
    counts = answered.sum(axis=1)
    sums = np.where(answered, values, 0.0).sum(axis=1)
    means = np.full(len(values), math.nan)
    np.divide(sums, counts, out=means, where=counts >= max(at_least, 1))
    return pd.Series(means, index=scores.index)
