"""Who may be shown together: each rater in exactly one group, and none too small.

Every figure that is printed about anonymous raters is an atom's or a union of
whole atoms. So whatever is added or subtracted, the result again concerns
whole atoms, and never fewer than k raters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALLEST_K = 3


@dataclass(frozen=True)
class Atom:
    """A group of raters that is never taken apart; identified: one rater who is shown by role."""

    id: str
    relationships: tuple[str, ...]
    n: int
    identified: bool = False


class TooFewRaters(Exception):
    """So few have answered anonymously that nothing may be shown."""


def partition(answered: Mapping[str, int], identified: Sequence[str], k: int) -> tuple[Atom, ...]:
    """Return the atoms of a roster, identified raters first.

    `answered` counts the anonymous raters of each relationship that was asked,
    in the order in which groups are shown; a group in which nobody answered is
    pooled like any small one, so that the groups' names do not tell. `identified`
    names the relationship of each rater who chose to be shown by role. Self
    belongs to neither.

    Raises ValueError for k below 3 or a negative count, and TooFewRaters if
    fewer than k raters answered anonymously.
    """
    if k < SMALLEST_K:
        raise ValueError(f"a group of {k} could be seen through; the smallest is {SMALLEST_K}")
    if any(n < 0 for n in answered.values()):
        raise ValueError("a group cannot have fewer than 0 raters")
    if sum(answered.values()) < k:
        raise TooFewRaters(f"{sum(answered.values())} of at least {k} raters answered")
    return (*_alone(identified), *_together(answered, k))


def _alone(identified: Sequence[str]) -> list[Atom]:
    return [
        Atom(f"identified-{number}", (relationship,), 1, identified=True)
        for number, relationship in enumerate(identified, start=1)
    ]


def _together(answered: Mapping[str, int], k: int) -> list[Atom]:
    atoms = [
        Atom(relationship, (relationship,), n) for relationship, n in answered.items() if n >= k
    ]
    pooled = tuple(relationship for relationship, n in answered.items() if n < k)
    left = sum(answered[relationship] for relationship in pooled)
    if not pooled:
        return atoms
    if not atoms:
        return [Atom("all", pooled, left)]
    if left >= k:
        return [*atoms, Atom("rest", pooled, left)]
    smallest = min(atoms, key=lambda atom: atom.n)
    together = (*smallest.relationships, *pooled)
    merged = Atom("+".join(together), together, smallest.n + left)
    return [merged if atom is smallest else atom for atom in atoms]
