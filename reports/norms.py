"""Where a leader's figure lies among those of other leaders: in fifths, never as a number."""

from __future__ import annotations

import math

import pandas as pd

FEWEST = 100
FIFTHS = 5


def fifth(mean: float, others: pd.Series[float]) -> int | None:
    """Return the fifth, 1 (lowest) to 5, in which a mean lies among other leaders' means.

    `others` holds the same figure of other leaders at the same level, without this
    one; missing ones are left out. Its place is the mid-rank: all below count whole,
    equal ones half. None below 100 leaders: so few say nothing about where others are.

    Raises ValueError for a mean that is missing.
    """
    if math.isnan(mean):
        raise ValueError("a place among others needs a mean")
    known = pd.Series(others, dtype="float64").dropna()
    if len(known) < FEWEST:
        return None
    rank = (float((known < mean).sum()) + float((known == mean).sum()) / 2) / len(known)
    return min(int(rank * FIFTHS) + 1, FIFTHS)
