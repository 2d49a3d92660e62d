"""The disclosure rules once more, by plain loops and fractions, with whom each figure concerns.

Written from docs/confidentiality.md and not from the code that it checks. A
figure is known by its weights: how much each answer (rater, item) counts in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from questionnaires.definition import SELF, AskedFacet
from reports.answers import NO_CHANCE, Answers

Answer = tuple[int, str]
Place = tuple[str, str]
MOST_UNSEEN = Fraction(2, 5)
END = Fraction(3, 10)
POINTS = 5


@dataclass(frozen=True)
class Weighed:
    """A figure: its value, how many raters stand behind it, and each answer's weight.

    Told only as an end of the scale it has no weights: it says a bound, and no answer.
    """

    value: Fraction
    n: int
    weights: Mapping[Answer, Fraction]

    def times(self, factor: Fraction) -> Mapping[Answer, Fraction]:
        """Return the weights times a factor."""
        return {answer: weight * factor for answer, weight in self.weights.items()}


def groups(answers: Sequence[Answers], asked: Sequence[str], k: int) -> dict[str, list[int]]:
    """Return the raters (by number) of each group; an identified one stands alone.

    `asked` names the relationships in which somebody is asked and not identified. Empty
    if too few answered to show anything.
    """
    alone = [i for i, each in enumerate(answers) if each.identified and each.relationship != SELF]
    of = {
        name: [
            i for i, each in enumerate(answers) if each.relationship == name and not each.identified
        ]
        for name in asked
    }
    if sum(len(raters) for raters in of.values()) < k:
        return {}
    large = {name: raters for name, raters in of.items() if len(raters) >= k}
    small = {name: raters for name, raters in of.items() if len(raters) < k}
    pool = [rater for raters in small.values() for rater in raters]
    if small and not large:
        large = {"all": pool}
    elif small and len(pool) >= k:
        large["rest"] = pool
    elif small:
        least = min(large, key=lambda name: len(large[name]))
        joined = "+".join([least, *small])
        large = {
            (joined if name == least else name): raters + (pool if name == least else [])
            for name, raters in large.items()
        }
    return {f"identified-{number}": [rater] for number, rater in enumerate(alone, 1)} | large


def weighed(
    answers: Sequence[Answers],
    facets: Sequence[AskedFacet],
    grouped: Mapping[str, Sequence[int]],
    k: int,
) -> dict[tuple[Place, str], Weighed | None]:
    """Return every figure that may be printed of anonymous groups; None: most could not see it."""
    made: dict[tuple[Place, str], Weighed | None] = {}
    anonymous = {of: raters for of, raters in grouped.items() if not of.startswith("identified-")}
    for of, raters in anonymous.items():
        for place, figure in _group(answers, facets, raters, k).items():
            made[place, of] = figure
    for place in dict.fromkeys(place for place, _ in made):
        parts = [made[place, of] for of in anonymous if (place, of) in made]
        seen = [part for part in parts if part is not None]
        total = sum(part.n for part in seen)
        made[place, "others"] = (
            _mean([(part, Fraction(part.n, total)) for part in seen], total) if seen else None
        )
    return made


def _group(
    answers: Sequence[Answers], facets: Sequence[AskedFacet], raters: Sequence[int], k: int
) -> dict[Place, Weighed | None]:
    made: dict[Place, Weighed | None] = {}
    floor = max(k, 5)
    for facet in facets:
        made |= _facet(answers, facet, raters, k, floor)
    for theme in dict.fromkeys(facet.theme for facet in facets):
        inside = [facet for facet in facets if facet.theme == theme]
        parts = [
            (part, len(facet.items))
            for facet in inside
            if (part := made.get(("facet", facet.id))) is not None
        ]
        held, whole = sum(n for _, n in parts), sum(len(facet.items) for facet in inside)
        if parts and 2 * held >= whole:
            fewest = min(part.n for part, _ in parts)
            shares = [(part, Fraction(n, held)) for part, n in parts]
            made["theme", theme] = _mean(shares, fewest)
    return made


def _facet(
    answers: Sequence[Answers], facet: AskedFacet, raters: Sequence[int], k: int, floor: int
) -> dict[Place, Weighed | None]:
    by_item = {
        item.id: [r for r in raters if answers[r].items.get(item.id, NO_CHANCE) != NO_CHANCE]
        for item in facet.items
    }
    unseen = {
        item.id: sum(answers[r].items.get(item.id) == NO_CHANCE for r in raters)
        for item in facet.items
    }
    each_seen = all(Fraction(n, len(raters)) <= MOST_UNSEEN for n in unseen.values())
    if each_seen and all(len(some) >= floor for some in by_item.values()):
        items = {
            item.id: _clamped(
                answers, facet, len(some), {(r, item.id): Fraction(1, len(some)) for r in some}
            )
            for item in facet.items
            for some in [by_item[item.id]]
        }
        share = Fraction(1, len(items))
        whole = _mean([(part, share) for part in items.values()], min(p.n for p in items.values()))
        return {("facet", facet.id): whole, **{("item", key): part for key, part in items.items()}}
    if Fraction(sum(unseen.values()), len(raters) * len(facet.items)) > MOST_UNSEEN:
        return {("facet", facet.id): None}
    own = {r: [item for item, some in by_item.items() if r in some] for r in raters}
    needed = min(2, len(facet.items))
    enough = {r: rated for r, rated in own.items() if len(rated) >= needed}
    if len(enough) < (k if len(facet.items) > 1 else floor):
        return {}
    weights = {
        (r, item): Fraction(1, len(enough) * len(rated))
        for r, rated in enough.items()
        for item in rated
    }
    return {("facet", facet.id): _clamped(answers, facet, len(enough), weights)}


def _clamped(
    answers: Sequence[Answers], facet: AskedFacet, n: int, weights: Mapping[Answer, Fraction]
) -> Weighed:
    keys = {item.id: item.key for item in facet.items}
    value = Fraction(0)
    for (rater, item), weight in weights.items():
        answer = answers[rater].items[item]
        value += weight * (answer if keys[item] == "+" else POINTS + 1 - answer)
    if value <= 1 + END:
        return Weighed(1 + END, n, {})
    if value >= POINTS - END:
        return Weighed(POINTS - END, n, {})
    return Weighed(value, n, weights)


def _mean(parts: Sequence[tuple[Weighed, Fraction]], n: int) -> Weighed:
    weights: dict[Answer, Fraction] = {}
    for part, share in parts:
        for answer, weight in part.times(share).items():
            weights[answer] = weights.get(answer, Fraction(0)) + weight
    return Weighed(sum((part.value * share for part, share in parts), Fraction(0)), n, weights)


def fewest_concerned(figures: Sequence[Mapping[Answer, Fraction]], upto: int) -> int:
    """Return the fewest raters that some linear combination of figures concerns, up to `upto`."""
    columns = sorted({answer for weights in figures for answer in weights})
    if not columns:
        return upto
    matrix = np.array([[float(w.get(answer, 0)) for answer in columns] for w in figures])
    owners = np.array([rater for rater, _ in columns])
    rank = np.linalg.matrix_rank(matrix, tol=1e-9)
    for size in range(1, upto):
        for some in itertools.combinations(sorted(set(owners)), size):
            # Combinations that vanish for everybody else concern only these few.
            if np.linalg.matrix_rank(matrix[:, ~np.isin(owners, some)], tol=1e-9) < rank:
                return size
    return upto
