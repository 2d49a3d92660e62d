"""How well items, or raters, hold together: for the makers of an instrument, never for a leader."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_ITEMS_FOR_OMEGA = 3

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def cronbach_alpha(frame: pd.DataFrame) -> float:
    """Return coefficient alpha of the sum of the items; below 0 where they work against each other.

    Columns are items, all keyed the same way, rows raters (or leaders). Rows with a
    missing answer are left out whole.

    Raises ValueError for fewer than two items or complete rows, and for an item
    that everybody answered alike.
    Source: Cronbach (1951), Psychometrika 16(3), 297-334.
    """
    covariances = _covariances(frame, fewest_items=2, fewest_rows=2)
    items, total = len(covariances), float(covariances.sum())
    if total <= 0:
        raise ValueError("all rows have the same sum")
    return items / (items - 1) * (1 - float(np.trace(covariances)) / total)


def mcdonald_omega(frame: pd.DataFrame) -> float:
    """Return omega of the sum of the items: the share of its variance due to one common factor.

    Columns are items, all keyed the same way, rows raters (or leaders). Rows with a
    missing answer are left out whole. Loadings are estimated by unweighted least
    squares on the correlations (minres), each at most 1, and taken back to the
    items' units: ω = (Σλ)² / ((Σλ)² + Σθ).

    Raises ValueError for fewer than three items (one factor needs three), for
    complete rows no more than items, and for an item that everybody answered alike.
    Source: McDonald (1999), Test Theory, ch. 6; Harman & Jones (1966), Psychometrika
    31(3), 351-368.
    """
    covariances = _covariances(frame, FEWEST_ITEMS_FOR_OMEGA, fewest_rows=frame.shape[1] + 1)
    deviations = np.sqrt(np.diag(covariances))
    standard = _loadings(covariances / np.outer(deviations, deviations))
    common = float(standard @ deviations) ** 2
    unique = float((deviations**2 * (1 - standard**2)).sum())
    return common / (common + unique)


@dataclass(frozen=True)
class OneWay:
    """Reliability of one rater (`icc1`) and of the mean of a group (`icck`).

    `n0` is the group size that the first is worked out with, `k_mean` the mean size of
    the groups that the second is about.
    """

    icc1: float
    icck: float
    n0: float
    k_mean: float


def icc_one_way(ratings: pd.Series[float], groups: pd.Series[str]) -> OneWay:
    """Return the one-way random intraclass correlations of raters nested in groups.

    `ratings` holds a score a rater and `groups`, row by row, whom it is about; rows
    without a score or group are left out. ICC(1) and ICC(1,k) by mean squares, with
    n₀ = (N − Σn²/N) / (G − 1) where groups differ in size. Below 0, groups differ less
    than by chance.

    Raises ValueError for series of different length, fewer than two groups, no group
    with two ratings, or groups that all have the same mean.
    Source: Shrout & Fleiss (1979), Psychol. Bull. 86(2), 420-428. What Bliese (2000)
    calls ICC(2) is their ICC(1,k).
    """
    if len(ratings) != len(groups):
        raise ValueError(f"{len(ratings)} ratings, but {len(groups)} groups")
    frame = pd.DataFrame({"rating": np.asarray(ratings, float), "group": np.asarray(groups)})
    by_group = frame.dropna().groupby("group")["rating"]
    sizes, means = by_group.size(), by_group.mean()
    count, total = len(sizes), int(sizes.sum())
    if count < 2:
        raise ValueError("one group cannot be compared with others")
    if total == count:
        raise ValueError("no group has two ratings")
    middle = float((sizes * means).sum()) / total
    between = float((sizes * (means - middle) ** 2).sum()) / (count - 1)
    within = float(((by_group.size() - 1) * by_group.var(ddof=1)).sum()) / (total - count)
    if math.isclose(between, 0, abs_tol=1e-12):
        raise ValueError("all groups have the same mean")
    n0 = (total - float((sizes**2).sum()) / total) / (count - 1)
    return OneWay(
        icc1=(between - within) / (between + (n0 - 1) * within),
        icck=(between - within) / between,
        n0=n0,
        k_mean=total / count,
    )


def _covariances(frame: pd.DataFrame, fewest_items: int, fewest_rows: int) -> Matrix:
    complete = frame.dropna()
    if frame.shape[1] < fewest_items:
        raise ValueError(f"{frame.shape[1]} items; at least {fewest_items} are needed")
    if len(complete) < fewest_rows:
        raise ValueError(f"{len(complete)} complete rows; at least {fewest_rows} are needed")
    constant = [str(item) for item in complete if complete[item].min() == complete[item].max()]
    if constant:
        raise ValueError(f"everybody answered alike: {', '.join(constant)}")
    return np.asarray(complete.cov())


def _loadings(correlations: Matrix) -> Vector:
    """Return the loadings on one factor that reproduce the correlations best."""
    from scipy.optimize import least_squares

    above = np.triu_indices(len(correlations), 1)
    largest = np.linalg.eigh(correlations)
    start = np.clip(largest.eigenvectors[:, -1] * np.sqrt(largest.eigenvalues[-1]), -0.95, 0.95)

    def residuals(loadings: Vector) -> Vector:
        return np.asarray((np.outer(loadings, loadings) - correlations)[above])

    found = least_squares(
        residuals,
        start,
        bounds=(-1, 1),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    return np.asarray(found.x)
