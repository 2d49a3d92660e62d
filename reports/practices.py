"""Which strengths to build on, and which facets to practise next."""

from __future__ import annotations

from collections.abc import Sequence

from reports.release import OTHERS, Figure, Practice

MOST = 2


def strengths(figures: Sequence[Figure], often_from: float) -> tuple[str, ...]:
    """Return the two facets whose band, as others see them, ends highest at its lower end.

    Only what others see often, with a mean of `often_from` or more, is a strength. Ties go by
    the order of the figures, which is that of the questionnaire.
    """
    seen = {
        facet: figure
        for facet, figure in _facets_seen(figures).items()
        if figure.mean is not None and figure.mean >= often_from
    }
    return tuple(sorted(seen, key=lambda facet: -_ends(seen[facet])[0])[:MOST])


def practices(
    figures: Sequence[Figure], focus: Sequence[str], strong: Sequence[str]
) -> tuple[Practice, ...]:
    """Return at most two facets of the level's focus to practise next, with the reason.

    First the one whose band ends lowest at its upper end: most room to grow.
    Then the largest clear difference where others see less than the leader;
    without one, again the most room. Strengths are left out, and what nearly
    everybody sees nearly always; ties go by the order of `focus`, the pathway's.
    """
    seen = _facets_seen(figures)
    open_ = [
        facet
        for facet in focus
        if facet in seen and facet not in strong and seen[facet].end_coded != "at_least"
    ]
    open_.sort(key=lambda facet: _ends(seen[facet])[1])
    if not open_:
        return ()
    first, rest = open_[0], open_[1:]
    chosen = [Practice(facet=first, reason="most_room")]
    talked = sorted((f for f in rest if _is_clear(seen[f])), key=lambda f: -_gap(seen[f]))
    if talked:
        chosen.append(Practice(facet=talked[0], reason="different_view"))
    elif rest:
        chosen.append(Practice(facet=rest[0], reason="most_room"))
    return tuple(chosen)


def _facets_seen(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {
        figure.key: figure
        for figure in figures
        if figure.scope == "facet" and figure.of == OTHERS and figure.band is not None
    }


def _ends(figure: Figure) -> tuple[float, float]:
    if figure.band is None:
        raise ValueError(f"{figure.key} has no band")
    return figure.band


def _gap(figure: Figure) -> float:
    return figure.gap.value if figure.gap else 0.0


def _is_clear(figure: Figure) -> bool:
    return figure.gap is not None and figure.gap.view == "clear" and figure.gap.field == "talk"
