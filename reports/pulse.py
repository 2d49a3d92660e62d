"""From the opened answers of a pulse to its release: counts of all raters together, no groups.

They are counted and shown by themselves, and never set against a round's figures.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from questionnaires.definition import Pulse, PulseQuestion, Questionnaire
from reports.answers import NO_CHANCE, Answers
from reports.partition import TooFewRaters
from reports.release import Comments, PulseRelease, Source, Tally


@dataclass(frozen=True)
class PulseSetting:
    """What a pulse was about: said in its release as it stood at the close.

    `release` is the SHA-256 of the release that it follows.
    """

    questionnaire: Questionnaire
    language: str
    leader: str
    release: str
    number: int
    opened_on: date
    closed_on: date
    k: int
    asked: int
    behaviours: tuple[str, ...]


def tallied(
    setting: PulseSetting, answers: Sequence[Answers], shuffle: random.Random
) -> PulseRelease:
    """Return the release of a pulse from the answers of all its raters.

    Raises TooFewRaters where fewer than k answered.
    """
    if len(answers) < setting.k:
        raise TooFewRaters
    questionnaire = setting.questionnaire
    questions = questionnaire.pulse_questions(setting.behaviours)
    pulse = questionnaire.structure.pulse
    tallies = (tally(question, pulse, answers, setting.k) for question in questions)
    texts = (_texts(question, answers, shuffle) for question in questions)
    return PulseRelease(
        questionnaire=Source.of(questionnaire),
        language=setting.language,
        leader=setting.leader,
        release=setting.release,
        number=setting.number,
        opened_on=setting.opened_on,
        closed_on=setting.closed_on,
        k=setting.k,
        asked=setting.asked,
        answered=len(answers),
        behaviours=setting.behaviours,
        tallies=tuple(each for each in tallies if each),
        comments=tuple(each for each in texts if each),
    )


def tally(
    question: PulseQuestion, pulse: Pulse, answers: Sequence[Answers], k: int
) -> Tally | None:
    """Return how the answers fall into classes; None for a text, or where fewer than k answered.

    An answer is the position of a point or option from 1; 0, no basis to judge, is left out.
    """
    classes = classes_of(question, pulse)
    if not classes:
        return None
    given = [each.items.get(question.key, NO_CHANCE) for each in answers]
    chosen = [classes[answer - 1] for answer in given if answer != NO_CHANCE]
    if len(chosen) < k:
        return None
    counts = tuple(chosen.count(number) for number in range(max(classes) + 1))
    nearly_all = counts.index(max(counts)) if max(counts) >= len(chosen) - 1 else None
    return Tally(
        question=question.key,
        n=len(chosen),
        counts=counts if nearly_all is None else None,
        nearly_all=nearly_all,
    )


def classes_of(question: PulseQuestion, pulse: Pulse) -> tuple[int, ...]:
    """Return the class of each answer: the options themselves, or less (0), same (1), more (2)."""
    match question.item.format:
        case "options":
            return tuple(range(question.item.options))
        case "change":
            return tuple((point > 0) - (point < 0) + 1 for point in pulse.change)
        case _:
            return ()


def _texts(
    question: PulseQuestion, answers: Sequence[Answers], shuffle: random.Random
) -> Comments | None:
    written = [" ".join(each.words[question.key]) for each in answers if question.key in each.words]
    shuffle.shuffle(written)
    return Comments(prompt=question.key, of=None, texts=tuple(written)) if written else None
