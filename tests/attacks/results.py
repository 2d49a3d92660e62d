"""Attacks by whoever reads the report and can reckon: from printed figures to single raters."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from questionnaires.definition import SELF, Questionnaire
from reports.aggregate import aggregate
from reports.answers import Answers
from reports.release import OTHERS, Release
from tests.attacks.score import Guess, Leaks, Score
from tests.reports.algebra import Figures, asked, fewest_concerned, group
from tests.reports.conftest import setting

FEW = 3
FEW_COMMENTS = 5
ROUNDS = 30
Place = tuple[str, str]


@dataclass(frozen=True)
class Told:
    """A printed mean of so many raters, with its standard deviation where that is printed."""

    mean: float
    n: int
    deviation: float | None = None


@dataclass(frozen=True)
class Report:
    """What a reader sees: figures by place and group, comments by prompt, words in order."""

    figures: Mapping[tuple[Place, str], Told]
    comments: Mapping[str, Sequence[tuple[str | None, str]]]
    words: Sequence[str]


@dataclass(frozen=True)
class Round:
    """What raters answered, and what is printed of it."""

    answers: tuple[Answers, ...]
    report: Report


# --- The attacks ---------------------------------------------------------------------------


def overall_minus_groups(round_: Round) -> Leaks:
    """The total, less the groups that are shown, leaves those that are hidden for being few."""
    figures, found = round_.report.figures, []
    for place in {place for place, of in figures if of == OTHERS}:
        total = figures[place, OTHERS]
        shown = [told for (each, of), told in figures.items() if each == place and of != OTHERS]
        left = total.n - sum(told.n for told in shown)
        if 0 < left < FEW:
            rest = total.mean * total.n - sum(told.mean * told.n for told in shown)
            found.append(rest / left)
    return Leaks.of(found)


def standard_deviations(round_: Round) -> Leaks:
    """Mean and standard deviation of three give all three answers."""
    found = []
    for told in round_.report.figures.values():
        if told.deviation is None or told.n != FEW:
            continue
        fitting = [
            some
            for some in itertools.combinations_with_replacement(range(1, 6), FEW)
            if abs(statistics.mean(some) - told.mean) < 0.006
            and abs(statistics.stdev(some) - told.deviation) < 0.006
        ]
        found += fitting if len(fitting) == 1 else []
    return Leaks.of(found)


def unanimous_groups(round_: Round) -> Leaks:
    """A mean at the end of the scale is everybody's answer."""
    return Leaks.of([told for told in round_.report.figures.values() if told.mean in (1.0, 5.0)])


def order_of_comments(round_: Round) -> Score:
    """The third comment on one question and the third on another are of one rater."""
    first, second = (round_.report.comments.get(prompt, ()) for prompt in ("OP1", "OP2"))
    others = [each for each in round_.answers if each.relationship != SELF]
    truth = {each.words["OP1"][0]: each.words["OP2"][0] for each in others}
    pairs = zip(first, second, strict=False)
    score = Score.of([Guess(one, other) for (_, one), (_, other) in pairs], truth)
    # Picking blindly is right once in each list; what a group's name tells is meant to be told.
    return replace(score, chance=float(len({label for label, _ in first})))


def words_of_one_rater(round_: Round) -> Score:
    """Three words that stand side by side were chosen by one rater."""
    words = round_.report.words
    of = {
        word: number
        for number, each in enumerate(round_.answers)
        for word in each.words.get("OP3", ())
    }
    threes = [words[start : start + 3] for start in range(0, len(words) - 2, 3)]
    right = sum(len({of[word] for word in three}) == 1 for three in threes)
    # Of all words but the first, two fit it: the second does by 2 in n − 1, the third 1 in n − 2.
    blind = 2 / (len(words) - 1) / (len(words) - 2) if len(words) > 2 else 0
    return Score(len(threes), right, 0, len(threes) * blind, len(round_.answers) - 1)


def label_of_few_comments(round_: Round) -> Leaks:
    """Under a group's name stand so few comments that each is soon known by its style."""
    return Leaks.of(
        [
            label
            for said in round_.report.comments.values()
            for label in {label for label, _ in said if label}
            if sum(each == label for each, _ in said) < FEW_COMMENTS
        ]
    )


def comments_without_label(round_: Round) -> Leaks:
    """Comments without a name, beside those of named groups, are of the group that is missing."""
    return Leaks.of(
        [
            said
            for said in round_.report.comments.values()
            if 0 < sum(label is None for label, _ in said) < FEW_COMMENTS
            and any(label for label, _ in said)
        ]
    )


def skipped_answers(figures: Figures) -> Leaks:
    """One rater skipped a statement; some sum of figures then concerns that rater alone."""
    found = []
    for seed in range(10):
        chance = random.Random(seed)
        what = asked(3, 3, 3)
        rows = [[chance.randint(2, 4) for _ in what.items] for _ in range(chance.randint(4, 7))]
        skipped: list[list[int | None]] = [list(row) for row in rows]
        skipped[-1][chance.randrange(len(what.items))] = None
        if fewest_concerned(figures, what, group(what, *skipped), upto=FEW) < FEW:
            found.append(seed)
    return Leaks.of(found)


ATTACKS: tuple[Callable[[Round], Leaks | Score], ...] = (
    overall_minus_groups,
    standard_deviations,
    unanimous_groups,
    order_of_comments,
    words_of_one_rater,
    label_of_few_comments,
    comments_without_label,
)


# --- Rounds, and how they are reported -----------------------------------------------------


def made_up(chance: random.Random, questionnaire: Questionnaire) -> tuple[Answers, ...]:
    """Return the answers of a small round: everybody writes, and some agree on everything."""
    roster = {
        "self": 1,
        "manager": 1,
        "peer": chance.randint(3, 6),
        "direct_report": chance.randint(2, 5),
    }
    whole = [relationship for relationship, n in roster.items() for _ in range(n)]
    agreed = {item.id for item in questionnaire.items_at("new_lead") if chance.random() < 0.2}
    return tuple(
        Answers(
            relationship,
            identified=False,
            items={
                item.id: (5 if item.key == "+" else 1)
                if item.id in agreed
                else chance.randint(1, 5)
                for item in questionnaire.items_at("new_lead")
            },
            words={
                "OP1": (f"First of {number}.",),
                "OP2": (f"Second of {number}.",),
                "OP3": tuple(f"{letter}{number}" for letter in "abc"),
            }
            if relationship != SELF
            else {},
        )
        for number, relationship in enumerate(whole)
    )


def as_usual(answers: Sequence[Answers], questionnaire: Questionnaire) -> Report:
    """Report as it is often done: groups below three hidden, everybody in the total."""
    others = [each for each in answers if each.relationship != SELF]
    groups = {
        name: [each for each in others if each.relationship == name]
        for name in dict.fromkeys(each.relationship for each in others)
    }
    shown = {name: raters for name, raters in groups.items() if len(raters) >= FEW}
    figures = {}
    for item in questionnaire.items_at("new_lead"):
        for of, raters in {OTHERS: others, **shown}.items():
            scores = [
                each.items[item.id] if item.key == "+" else 6 - each.items[item.id]
                for each in raters
            ]
            mean, deviation = statistics.mean(scores), statistics.stdev(scores)
            figures[("item", item.id), of] = Told(round(mean, 2), len(scores), round(deviation, 2))
    return Report(
        figures=figures,
        comments={
            prompt: [
                (each.relationship if each.relationship in shown else None, each.words[prompt][0])
                for each in others
            ]
            for prompt in ("OP1", "OP2")
        },
        words=[word for each in others for word in each.words["OP3"]],
    )


def as_released(answers: Sequence[Answers], questionnaire: Questionnaire) -> Report:
    """Report as the product does, and read the release as one reads the preview."""
    counts: dict[str, int] = {}
    for each in answers:
        counts[each.relationship] = counts.get(each.relationship, 0) + 1
    release = aggregate(setting(questionnaire, counts), answers, random.SystemRandom())
    return Report(
        figures={
            ((figure.scope, figure.key), figure.of): Told(figure.mean, figure.n)
            for figure in release.figures
            if figure.mean is not None and figure.of != SELF
        },
        comments=_comments(release),
        words=[word.word for group in release.words for word in group.words],
    )


def _comments(release: Release) -> dict[str, list[tuple[str | None, str]]]:
    said: dict[str, list[tuple[str | None, str]]] = {}
    for each in release.comments:
        said.setdefault(each.prompt, []).extend((each.of, text) for text in each.texts)
    return said
