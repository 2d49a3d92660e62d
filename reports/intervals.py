"""How far a mean of few raters may lie from what many would say.

Bands follow from the number of raters, not from how alike they are: the spread
of three answers says next to nothing, and printing it would say who differs.
Resampling the answers is no way out: with three raters a nominal 95 % interval
covers the truth in well under 80 % of cases.
"""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.90
TYPICAL_SD = 0.8
PRIOR_SD = 0.65
PRIOR_DF = 4
FEWEST_FOR_FIXED = 3
FEWEST_FOR_MODERATED = 8

Band = tuple[float, float]


def fixed_band(
    mean: float, n: int, points: int, sd: float = TYPICAL_SD, confidence: float = CONFIDENCE
) -> Band:
    """Return the band mean ± z·sd/√n in scale points, cut off at 1 and `points`.

    `sd` is a typical spread between raters, so the band cannot collapse to
    nothing nor tell how alike these raters are.

    Raises ValueError below three raters or for a mean outside the scale.
    """
    if n < FEWEST_FOR_FIXED:
        raise ValueError(f"{n} raters carry no band")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return _around(mean, z * sd / math.sqrt(n), points)


def moderated_band(
    mean: float,
    sd: float,
    n: int,
    points: int,
    prior_sd: float = PRIOR_SD,
    prior_df: int = PRIOR_DF,
    confidence: float = CONFIDENCE,
) -> Band:
    """Return the band mean ± t·s̃/√n in scale points, cut off at 1 and `points`.

    The raters' own `sd` (with n − 1) is drawn towards a typical one that weighs
    as much as `prior_df` raters: s̃² = (d₀s₀² + (n−1)s²) / (d₀ + n − 1), and t has
    d₀ + n − 1 degrees of freedom.

    Raises ValueError below eight raters, for a negative sd or a mean outside the
    scale.
    Source: the moderated t of Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3(1), 3.
    """
    if n < FEWEST_FOR_MODERATED:
        raise ValueError(f"{n} raters are too few to use their spread")
    if sd < 0:
        raise ValueError("a standard deviation is not negative")
    # Only here, so that a web process which makes no report starts without it.
    from scipy.special import stdtrit

    df = prior_df + n - 1
    moderated = math.sqrt((prior_df * prior_sd**2 + (n - 1) * sd**2) / df)
    t = float(stdtrit(df, 0.5 + confidence / 2))
    return _around(mean, t * moderated / math.sqrt(n), points)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Band:
    """Return the score interval of a share, from 0 to 1, without continuity correction.

    Raises ValueError for no trials, or successes outside 0…n.
    Source: Wilson (1927), J. Am. Stat. Assoc. 22(158), 209-212.
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n} is no share")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, weight = successes / n, z**2 / n
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def _around(mean: float, half_width: float, points: int) -> Band:
    if not 1 <= mean <= points:
        raise ValueError(f"{mean} is no mean on a scale of {points}")
    return max(1.0, mean - half_width), min(float(points), mean + half_width)
