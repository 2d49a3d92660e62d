"""What a page with a long list is asked for: which piece, and of what."""

from __future__ import annotations

from flask import request

from reports.text import clean_line

LAST = 1_000_000
LONGEST = 100


def piece_asked() -> int:
    """Return the number of the piece that is wanted, from 1."""
    return min(max(request.args.get("page", 1, type=int), 1), LAST)


def words_asked() -> str:
    """Return what is looked for; empty if nothing is."""
    return clean_line(request.args.get("q"))[:LONGEST]
