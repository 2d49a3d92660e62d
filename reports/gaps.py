"""The leader's own view beside that of others: alike, or different and worth a conversation."""

from __future__ import annotations

from reports.intervals import Band
from reports.release import Quadrant, View

DIFFERENT_FROM = 0.5
CLEAR_FROM = 1.0
ROUNDING = 1e-9


def view(own: float, others: float, band: Band) -> View:
    """Compare the leader's score with the mean of others and its band, unrounded.

    Different needs both half a point and a score outside the band; a clear
    difference needs a whole point. A cut-off alone would call half of all
    leaders different by chance.
    """
    gap = abs(own - others)
    inside = band[0] - ROUNDING <= own <= band[1] + ROUNDING
    if inside or gap < DIFFERENT_FROM - ROUNDING:
        return "alike"
    return "different" if gap < CLEAR_FROM - ROUNDING else "clear"


def field(own: float, others: float, seen: View, often_from: float) -> Quadrant:
    """Return which of the four fields of the self-awareness page a score belongs to."""
    if seen == "alike":
        return "build_on" if others >= often_from - ROUNDING else "next_step"
    return "lean_on" if others > own else "talk"
