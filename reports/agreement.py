"""How alike a group of raters sees something."""

from __future__ import annotations

import pandas as pd

from reports.release import Spread

ALIKE_UP_TO = 0.5
SOMEWHAT_UP_TO = 0.8


def average_deviation(frame: pd.DataFrame) -> float:
    """Return the mean of the items' average deviations about their means, in scale points.

    Columns are items, rows raters. An item with fewer than two answers is left
    out.

    Raises ValueError if no item is left.
    Source: Burke & Dunlap (2002), Organ. Res. Methods 5(2), 159-172.
    """
    answered = frame.loc[:, frame.count() >= 2]
    if answered.empty:
        raise ValueError("no item was answered by two raters")
    return float((answered - answered.mean()).abs().mean().mean())


def spread(frame: pd.DataFrame) -> Spread:
    """Return the average deviation as a word.

    0.8 is the upper limit of agreement for five points that Burke & Dunlap
    (2002) derive; 0.5 is ours.
    """
    deviation = average_deviation(frame)
    if deviation <= ALIKE_UP_TO:
        return "alike"
    return "somewhat" if deviation <= SOMEWHAT_UP_TO else "differently"
