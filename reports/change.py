"""Whether two rounds of one leader differ by more than so few raters would by chance."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

from reports.intervals import CONFIDENCE, TYPICAL_SD

FEWEST = 5
ROUNDING = 1e-9

Change = Literal["more", "less", "unclear"]


def clear_from(
    before: int, after: int, sd: float = TYPICAL_SD, confidence: float = CONFIDENCE
) -> float:
    """Return the difference of two means, in scale points, from which a change is clear.

    z·sd·√(1/n₁ + 1/n₂) for `before` and `after` raters. `sd` is a typical spread between
    raters: the rounds' own would say how alike few people are.

    Raises ValueError below five raters in either round.
    """
    if min(before, after) < FEWEST:
        raise ValueError(f"{min(before, after)} raters carry no change; {FEWEST} do")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return z * sd * math.sqrt(1 / before + 1 / after)


def change(
    mean_before: float, n_before: int, mean_after: float, n_after: int, step: float = 0.0
) -> Change:
    """Compare the means of the same place in two rounds.

    Where they are rounded, `step` is to what: half of it must come on top (a correction for
    continuity), or chance would look clear more often than one time in ten.

    Mostly it is unclear: gains after feedback are small on average (Smither, London &
    Reilly, 2005, Pers. Psychol. 58(1), 33-66).

    Raises ValueError below five raters in either round, and for a mean that is missing.
    """
    difference = mean_after - mean_before
    if math.isnan(difference):
        raise ValueError("a change needs two means")
    if abs(difference) < clear_from(n_before, n_after) + step / 2 - ROUNDING:
        return "unclear"
    return "more" if difference > 0 else "less"
