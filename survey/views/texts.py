"""A questionnaire's words, as whoever reads the page speaks."""

from __future__ import annotations

from questionnaires.definition import Texts
from survey.models import Round
from survey.services import questionnaires
from survey.speech import say


def texts_of(round_: Round) -> Texts:
    """Return the words of a round in the page's language; else in the round's."""
    questionnaire = questionnaires.read(round_.questionnaire)
    return questionnaire.texts.get(say().code) or questionnaire.texts[round_.language]
