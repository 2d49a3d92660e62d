"""Text that people typed, as it may be stored and printed: composed, without what is not text."""

from __future__ import annotations

import unicodedata

# Some scripts stack two or three marks on a letter; thousands are an attack on whoever lays
# them out.
MOST_MARKS = 4
NEW_LINE = "\n"


def clean_text(text: str | None) -> str:
    """Return text in NFC, with simple line ends, without control characters or towers of marks."""
    composed = unicodedata.normalize("NFC", (text or "").replace("\r\n", NEW_LINE))
    kept: list[str] = []
    marks = 0
    for letter in composed:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS and (letter == NEW_LINE or _is_text(letter)):
            kept.append(letter)
    return "".join(kept).strip()


def clean_line(text: str | None) -> str:
    """Return text as `clean_text` does, in one line."""
    return " ".join(clean_text(text).split())


def _is_text(letter: str) -> bool:
    """Say whether a letter is one: no control, surrogate, private or unassigned code."""
    return unicodedata.category(letter) not in ("Cc", "Cs", "Co", "Cn")
