"""How alike a group of raters sees something."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports.release import Spread
from reports.scores import answered_by

ALIKE_UP_TO = 0.5
SOMEWHAT_UP_TO = 0.8


def rwg(ratings: pd.Series[float], points: int) -> float:
    """Return within-group agreement on one item: 1 where all agree, 0 where as by chance.

    `ratings` holds one answer 1…`points` a rater; missing ones are left out. The
    variance (with n − 1) is compared with that of answers spread evenly over the
    scale, (points² − 1) / 12; above it agreement is 0, not negative.

    Raises ValueError for fewer than two answers, one outside the scale, or a scale
    of fewer than two points.
    Source: James, Demaree & Wolf (1984), J. Appl. Psychol. 69(1), 85-98.
    """
    return rwg_j(pd.Series(ratings, dtype="float64").to_frame(), points)


def rwg_j(frame: pd.DataFrame, points: int) -> float:
    """Return within-group agreement on J items that measure one thing, from 0 to 1.

    Columns are items, rows raters, answers 1…`points`. An item with fewer than two
    answers is left out. The mean of the items' variances is cut off at that of
    chance *before* the formula: beyond it the formula exceeds 1 or divides by zero.

    Raises ValueError if no item is left, for an answer outside the scale, or a
    scale of fewer than two points.
    Source: James, Demaree & Wolf (1984), J. Appl. Psychol. 69(1), 85-98.
    """
    if points < 2:
        raise ValueError(f"a scale of {points} is no scale")
    answered = _answered(frame)
    if ((answered < 1) | (answered > points)).any(axis=None):
        raise ValueError(f"an answer lies outside the scale of {points} points")
    by_chance = (points**2 - 1) / 12
    share = min(float(answered.var(ddof=1).mean()) / by_chance, 1.0)
    items = answered.shape[1]
    return items * (1 - share) / (items * (1 - share) + share)


def average_deviation(frame: pd.DataFrame) -> float:
    """Return the mean of the items' average deviations about their means, in scale points.

    Columns are items, rows raters. An item with fewer than two answers is left
    out.

    Raises ValueError if no item is left.
    Source: Burke & Dunlap (2002), Organ. Res. Methods 5(2), 159-172.
    """
    # By numpy: this is done for every facet of every release.
    values = _answered(frame).to_numpy()
    return float(np.nanmean(np.abs(values - np.nanmean(values, axis=0)), axis=0).mean())


def spread(frame: pd.DataFrame) -> Spread:
    """Return the average deviation as a word.

    0.8 is the upper limit of agreement for five points that Burke & Dunlap
    (2002) derive; 0.5 is ours.
    """
    deviation = average_deviation(frame)
    if deviation <= ALIKE_UP_TO:
        return "alike"
    return "somewhat" if deviation <= SOMEWHAT_UP_TO else "differently"


def _answered(frame: pd.DataFrame) -> pd.DataFrame:
    answered = answered_by(frame, at_least=2)
    if answered.empty:
        raise ValueError("no item was answered by two raters")
    return answered
