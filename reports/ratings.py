"""The contract of a ratings frame: one row per rater, one column per item.

Columns: `relationship` (str, "self" once at most), `identified` (bool: the
rater chose to be shown by role), then one float column per asked item, holding
the raw answer 1…points, NO_CHANCE where the rater had no chance to see the
behaviour, and NaN where the item was skipped. The index is 0…n−1 and means
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reports.answers import NO_CHANCE, Answers

RELATIONSHIP = "relationship"
IDENTIFIED = "identified"


def ratings_frame(answers: Sequence[Answers], items: Sequence[str], points: int) -> pd.DataFrame:
    """Return the ratings frame of these raters for these items.

    Raises ValueError for an answer to an item that was not asked, or one that
    is neither NO_CHANCE nor a point of the scale.
    """
    for each in answers:
        for item, answer in each.items.items():
            if item not in items:
                raise ValueError(f"item {item} was not asked")
            if answer != NO_CHANCE and not 1 <= answer <= points:
                raise ValueError(f"item {item}: {answer} is no point of a scale of {points}")
    frame = pd.DataFrame(
        [[float(each.items.get(item, math.nan)) for item in items] for each in answers],
        columns=list(items),
        dtype="float64",
    )
    frame.insert(0, RELATIONSHIP, [each.relationship for each in answers])
    frame.insert(1, IDENTIFIED, [each.identified for each in answers])
    return frame
