"""From everybody's opened answers to the release: the one place where they meet."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from questionnaires.definition import SELF, Prompt, Questionnaire
from reports.answers import Answers
from reports.cells import Asked, members
from reports.comments import Written, comments, three_words
from reports.figures import figures
from reports.language import language
from reports.partition import Atom, partition
from reports.practices import practices, strengths
from reports.ratings import ratings_frame
from reports.release import Release, ReleasedAtom, Source
from reports.rules import rules
from reports.wording import atom_label


@dataclass(frozen=True)
class Setting:
    """What a round was about: said in the release as it stood at the close."""

    questionnaire: Questionnaire
    language: str
    leader: str
    level: str
    opened_on: date | None
    closed_on: date
    k: int
    asked: Mapping[str, int] | None
    sealed: bool = True


def aggregate(setting: Setting, answers: Sequence[Answers], shuffle: random.Random) -> Release:
    """Return the release of a round from the answers of all its raters, self included.

    `setting.asked` counts the invited of each relationship; None where nobody knows.
    `shuffle` should be the system's randomness; nothing else here depends on chance.

    Raises TooFewRaters if nothing may be shown, and ValueError for answers that
    do not fit the questionnaire.
    """
    questionnaire, structure = setting.questionnaire, setting.questionnaire.structure
    asked = Asked(questionnaire.asked_at(setting.level), structure.scale, rules(setting.k))
    ratings = ratings_frame(answers, [item.id for item in asked.items], structure.scale.points)
    atoms = _atoms(setting, answers)
    written = {atom: [answers[i] for i in members(ratings, atom).index] for atom in atoms}
    made = figures(asked, ratings, atoms)
    strong = strengths(made, structure.scale.often_from)
    own = next((each for each in answers if each.relationship == SELF), None)
    return Release(
        questionnaire=Source.of(questionnaire),
        language=setting.language,
        leader=setting.leader,
        level=setting.level,
        opened_on=setting.opened_on,
        closed_on=setting.closed_on,
        sealed=setting.sealed,
        rules=asked.rules,
        atoms=tuple(_released(atom, setting, atoms) for atom in atoms),
        figures=made,
        comments=tuple(
            group
            for prompt in structure.prompts
            if prompt.format == "text" and SELF not in prompt.asked_of
            for group in comments(
                prompt,
                *_by_atom(prompt, written),
                labelled_from=asked.rules.comments_labelled_from,
                shuffle=shuffle,
            )
        ),
        words=tuple(
            group
            for prompt in structure.prompts
            if prompt.format == "three_words" and SELF not in prompt.asked_of
            for group in three_words(prompt, *_by_atom(prompt, written), shuffle=shuffle)
        ),
        own_words=dict(own.words) if own else {},
        strengths=strong,
        practices=practices(made, questionnaire.focus_facets_at(setting.level), strong),
    )


def _atoms(setting: Setting, answers: Sequence[Answers]) -> tuple[Atom, ...]:
    others = [each for each in answers if each.relationship != SELF]
    identified = [each.relationship for each in others if each.identified]
    anonymous = [each.relationship for each in others if not each.identified]
    invited = Counter(anonymous + identified) if setting.asked is None else setting.asked
    counts = {
        relationship: anonymous.count(relationship)
        for relationship in setting.questionnaire.structure.relationships
        if invited.get(relationship, 0) > identified.count(relationship)
    }
    if sum(counts.values()) != len(anonymous):
        raise ValueError("more raters answered than were asked")
    return partition(counts, identified, setting.k)


def _released(atom: Atom, setting: Setting, atoms: Sequence[Atom]) -> ReleasedAtom:
    """Return an atom with its name and how many were asked; the identified are counted apart."""
    asked = None
    if setting.asked is not None:
        asked = 1 if atom.identified else _invited(atom, setting.asked, atoms)
    texts = setting.questionnaire.texts[setting.language]
    label = atom_label(atom, atoms, texts, language(setting.language))
    return ReleasedAtom(
        id=atom.id,
        label=label,
        relationships=atom.relationships,
        asked=asked,
        n=atom.n,
        identified=atom.identified,
    )


def _invited(atom: Atom, asked: Mapping[str, int], atoms: Sequence[Atom]) -> int:
    alone = [each.relationships[0] for each in atoms if each.identified]
    return sum(
        asked.get(relationship, 0) - alone.count(relationship)
        for relationship in atom.relationships
    )


def _by_atom(
    prompt: Prompt, written: Mapping[Atom, Sequence[Answers]]
) -> tuple[dict[str, Written], dict[str, Written]]:
    """Return the answers to a prompt by anonymous atom, and by identified rater."""
    anonymous: dict[str, Written] = defaultdict(list)
    identified: dict[str, Written] = {}
    for atom, raters in written.items():
        said = [words for each in raters if any(words := each.words.get(prompt.id, ()))]
        (identified if atom.identified else anonymous)[atom.id] = said
    return anonymous, {of: some for of, some in identified.items() if some}
