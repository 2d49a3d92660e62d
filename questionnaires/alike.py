"""What levels or versions of a questionnaire ask alike: only that may be put side by side."""

from __future__ import annotations

from collections.abc import Sequence

from questionnaires.definition import AskedFacet, Questionnaire

Asked = tuple[Questionnaire, str]


def facets_asked_alike(asked: Sequence[Asked]) -> tuple[str, ...]:
    """Return the facets that each questionnaire, at its level, asks with the same statements.

    Same are the ids, the words in every language that all of them have, and the scale.
    """
    languages = sorted(set.intersection(*(set(each.texts) for each, _ in asked)))
    scales = [_scale(questionnaire, languages) for questionnaire, _ in asked]
    if not languages or any(scale != scales[0] for scale in scales):
        return ()
    said = [
        {facet.id: _words(each, level, facet, languages) for facet in each.asked_at(level)}
        for each, level in asked
    ]
    return tuple(
        facet
        for facet, words in said[0].items()
        if all(other.get(facet) == words for other in said)
    )


def _scale(questionnaire: Questionnaire, languages: Sequence[str]) -> list[object]:
    scales = [questionnaire.texts[language].scale for language in languages]
    return [questionnaire.structure.scale.points, *((s.stem, s.points) for s in scales)]


def _words(
    questionnaire: Questionnaire, level: str, facet: AskedFacet, languages: Sequence[str]
) -> list[object]:
    return [
        (item.id, item.key, words.self_, words.other)
        for language in languages
        for item in facet.items
        for words in [questionnaire.texts[language].items[item.id].at(level)]
    ]
