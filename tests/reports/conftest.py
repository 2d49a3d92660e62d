"""A small round, answered by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

import pytest

from questionnaires.definition import Questionnaire
from reports.aggregate import Setting, aggregate
from reports.answers import Answers
from reports.release import Release


@pytest.fixture(scope="session")
def answered(questionnaire: Questionnaire) -> Callable[..., Answers]:
    """Make answers whose score is the same on every item of a theme, reversed items included."""

    def make(relationship: str, mm: int, sa: int, tr: int, *, identified=False, words=None):
        scores = {"MM": mm, "SA": sa, "TR": tr}
        items = {
            item.id: scores[item.id[:2]] if item.key == "+" else 6 - scores[item.id[:2]]
            for item in questionnaire.items_at("new_lead")
        }
        return Answers(relationship, identified, items, words or {})

    return make


@pytest.fixture
def release(questionnaire: Questionnaire, answered: Callable[..., Answers]) -> Release:
    """Five peers, four direct reports, a manager shown by role, and the leader."""
    answers = [
        answered("self", 4, 3, 4, words={"OP3S": ("clear", "calm", "fair"), "OP1S": ("Let go.",)}),
        answered(
            "manager", 3, 3, 4, identified=True, words={"OP1": ("Bring me plans, not details.",)}
        ),
        *(answered("peer", 2, 3, 4, words={"OP1": (f"Peer's wish {n}",)}) for n in range(3)),
        *(answered("peer", 3, 4, 5) for _ in range(2)),
        *(
            answered("direct_report", 2, 3, 4, words={"OP3": ("calm", "fast", "")})
            for _ in range(2)
        ),
        *(
            answered("direct_report", 3, 3, 4, words={"OP3": ("Calm", "precise", "fair")})
            for _ in range(2)
        ),
    ]
    return aggregate(setting(questionnaire), answers, random.Random(1))


def setting(questionnaire: Questionnaire, asked: dict[str, int] | None = None) -> Setting:
    return Setting(
        questionnaire=questionnaire,
        language="en",
        leader="Robin Sample",
        level="new_lead",
        opened_on=date(2026, 11, 8),
        closed_on=date(2026, 11, 22),
        k=3,
        asked=asked or {"self": 1, "manager": 1, "peer": 6, "direct_report": 4},
    )
