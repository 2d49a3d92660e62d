"""Which questionnaire a page is about, and its words as whoever reads the page speaks."""

from __future__ import annotations

from flask import request

from questionnaires.definition import Questionnaire, Texts
from survey.db import session
from survey.models import Round
from survey.services import questionnaires
from survey.speech import say

USUAL = "technical_leader"
FIRST_LEVEL = "new_lead"


def texts_of(round_: Round) -> Texts:
    """Return the words of a round in the page's language; else in the round's."""
    questionnaire = questionnaires.read(round_.questionnaire)
    return questionnaire.texts.get(say().code) or questionnaire.texts[round_.language]


def spoken_texts(questionnaire: Questionnaire) -> Texts:
    """Return a questionnaire's words in the page's language; else in its first."""
    return questionnaire.texts.get(say().code) or next(iter(questionnaire.texts.values()))


def asked_for() -> Questionnaire:
    """Return the questionnaire that the address names; else the usual one. Raises NotFound."""
    return questionnaires.current(session(), request.args.get("questionnaire", USUAL))


def first_level(questionnaire: Questionnaire) -> str:
    """Return the level that a leader is most likely at."""
    levels = questionnaire.structure.levels
    return FIRST_LEVEL if FIRST_LEVEL in levels else levels[0]
