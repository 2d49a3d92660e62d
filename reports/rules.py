"""The confidentiality rules, in one place: applied at the close, and told to raters before."""

from __future__ import annotations

from reports.release import Rules

ITEMS_FROM = 5
ENDS_FROM = 0.3
LEADERS_FROM = 4


def rules(k: int) -> Rules:
    """Return the rules that go with a smallest group of k."""
    return Rules(
        k=k,
        items_from=max(k, ITEMS_FROM),
        comments_labelled_from=max(k, ITEMS_FROM),
        ends_from=ENDS_FROM,
    )
