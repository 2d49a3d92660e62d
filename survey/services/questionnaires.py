"""Questionnaires as they are asked: stored at their first use, and the same ever after."""

from __future__ import annotations

import json
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from questionnaires import loader
from questionnaires.definition import PulseQuestion, Questionnaire
from reports.release import Release as Document
from reports.release import sha256
from survey.errors import Conflict, NotFound, marked
from survey.models import Pulse, Release, Round, StoredQuestionnaire

MINUTES_OF_PULSE = 2


class VersionChanged(Conflict):
    """A file has changed since it was first used, without a new version."""

    message = marked(
        "%(name)s %(version)s is in use with other words than its file has now. Give the file a "
        "new version."
    )


@lru_cache
def shipped(name: str) -> Questionnaire:
    """Return a questionnaire that ships with the program, read once."""
    if name not in loader.builtin_names():
        raise NotFound("There is no questionnaire %(name)s.", name=name)
    return loader.builtin(name)


def store(session: Session, questionnaire: Questionnaire) -> StoredQuestionnaire:
    """Return the row of this questionnaire, made at its first use. Raises VersionChanged."""
    query = select(StoredQuestionnaire).where(
        StoredQuestionnaire.name == questionnaire.name,
        StoredQuestionnaire.version == questionnaire.version,
    )
    stored = session.scalar(query)
    if stored is None:
        stored = StoredQuestionnaire(
            name=questionnaire.name,
            version=questionnaire.version,
            digest=questionnaire.digest(),
            document=questionnaire.to_json(),
        )
        session.add(stored)
        session.flush()
    if stored.digest != questionnaire.digest():
        raise VersionChanged(name=stored.name, version=stored.version)
    return stored


_read: dict[str, Questionnaire] = {}


def read(stored: StoredQuestionnaire) -> Questionnaire:
    """Return a stored questionnaire, read once in a process as long as its text is the same."""
    digest = sha256(stored.document)
    if digest not in _read:
        _read[digest] = Questionnaire.model_validate_json(stored.document)
    return _read[digest]


def latest_releases(session: Session, name: str) -> list[Document]:
    """Return the latest release of each leader who was asked about with a questionnaire."""
    query = (
        select(Round.leader_id, Release.document)
        .join(Release, Release.round_id == Round.id)
        .join(StoredQuestionnaire, StoredQuestionnaire.id == Round.questionnaire_id)
        .where(StoredQuestionnaire.name == name)
        .order_by(Release.released_on, Release.sha256)
    )
    latest = {row.leader_id: row.document for row in session.execute(query)}
    return [Document.model_validate_json(document) for document in latest.values()]


def asked_in(round_: Round) -> str:
    """Return what a round asks, so that nobody can change it in the database unnoticed."""
    asked = f"{sha256(round_.questionnaire.document)} {round_.level}"
    return f"{asked} {sha256(round_.pulse.behaviours)}" if round_.pulse else asked


def minutes(round_: Round, relationship: str) -> int:
    """Return about how many minutes a rater needs; nobody has timed it."""
    if round_.pulse is not None:
        return MINUTES_OF_PULSE
    return read(round_.questionnaire).minutes(round_.level, relationship)


def behaviours_of(pulse: Pulse) -> tuple[str, ...]:
    """Return the behaviours that a pulse asks about."""
    return tuple(json.loads(pulse.behaviours))


def pulse_questions(round_: Round) -> tuple[PulseQuestion, ...]:
    """Return the questions of a pulse; none for a whole round."""
    if round_.pulse is None:
        return ()
    return read(round_.questionnaire).pulse_questions(behaviours_of(round_.pulse))
