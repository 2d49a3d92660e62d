"""What one rater answered, opened; everything in `reports` begins here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NO_CHANCE = 0


@dataclass(frozen=True)
class Answers:
    """Items by id: a point of the scale, or NO_CHANCE to see; prompts by id: a string a field.

    `identified`: the rater chose to be shown by role. A skipped item is not there.
    """

    relationship: str
    identified: bool
    items: Mapping[str, int]
    words: Mapping[str, tuple[str, ...]]
