"""Rounds with raters who answer at random, the same each time."""

from __future__ import annotations

import dataclasses
import random
from datetime import date

from questionnaires.definition import SELF, Questionnaire
from reports.aggregate import aggregate
from reports.answers import Answers
from reports.pulse import PulseSetting, tallied
from reports.release import PulseRelease, Release
from tests.reports.conftest import setting

WISH = "Hand over whole results, so that I can decide the order of the work myself. "


def released(
    questionnaire: Questionnaire,
    peers: int = 6,
    reports: int = 5,
    text: str = WISH,
    level: str = "new_lead",
    leader: str = "Robin Sample",
    language: str = "en",
    closed_on: date = date(2026, 11, 22),
    seed: int = 1,
    rated_self: bool = True,
    leaning: float = 3.2,
) -> Release:
    """Return the release of a round whose answers lie around `leaning`; all write `text`."""
    chance = random.Random(seed)

    def answers(relationship: str, *, identified: bool = False) -> Answers:
        items = {}
        for item in questionnaire.items_at(level):
            score = min(5, max(1, round(chance.gauss(leaning, 0.9))))
            items[item.id] = score if item.key == "+" else 6 - score
        words: dict[str, tuple[str, ...]] = {
            "OP1": (text,), "OP2": (text,), "OP3": ("calm", "fair", "quick")
        }  # fmt: skip
        if relationship == SELF:
            words = {"OP1S": (text,), "OP3S": ("clear", "calm", "fair"), "OP4S": (text,)}
        return Answers(relationship, identified, items, words if text else {})

    given = [answers(each) for each in ["peer"] * peers + ["direct_report"] * reports]
    if reports:
        given.append(answers("manager", identified=True))
    if rated_self:
        given.append(answers(SELF))
    about = dataclasses.replace(
        setting(questionnaire, {"manager": 1, "peer": peers, "direct_report": reports}),
        level=level,
        leader=leader,
        language=language,
        opened_on=closed_on.replace(day=1),
        closed_on=closed_on,
    )
    return aggregate(about, given, random.Random(1))


def pulse(
    questionnaire: Questionnaire,
    language: str = "en",
    number: int = 1,
    text: str = WISH,
    n: int = 8,
) -> PulseRelease:
    """Return the release of a pulse about two behaviours; all write `text`."""
    chance = random.Random(number)
    about = PulseSetting(
        questionnaire=questionnaire,
        language=language,
        leader="Robin Sample",
        release="0" * 64,
        number=number,
        opened_on=date(2027, 1, 21),
        closed_on=date(2027, 2, 4),
        k=3,
        asked=n + 2,
        behaviours=("hands over whole results", "asks before telling, also when time is short"),
    )
    given = [
        Answers(
            "peer",
            False,
            {
                "PU0": chance.randint(1, 4),
                "PU1_1": chance.randint(1, 7),
                "PU1_2": chance.randint(0, 7),
                "PU2": chance.randint(3, 7),
            },
            {"PU3": (text,)} if text else {},
        )
        for _ in range(n)
    ]
    return tallied(about, given, random.Random(1))
