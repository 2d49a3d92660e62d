"""Questionnaires as they are asked: stored at their first use, and the same ever after."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.orm import Session

from questionnaires import loader
from questionnaires.definition import PulseQuestion, Questionnaire
from reports.release import Release as Document
from reports.release import sha256
from survey.errors import Conflict, NotFound, Refused, marked
from survey.models import Person, Pulse, Release, Round, StoredQuestionnaire
from survey.services import audit
from survey.services.tables import Fault, TableInvalid

MINUTES_OF_PULSE = 2
FILE_NAME = re.compile(r"[A-Za-z0-9-]{1,40}\.yaml")


class VersionChanged(Conflict):
    """A file has changed since it was first used, without a new version."""

    message = marked(
        "%(name)s %(version)s is in use with other words than its file has now. Give the file a "
        "new version."
    )


class VersionNotNewer(Refused):
    """A version that is used, or an older one, would change what was asked."""

    status = 422
    message = marked(
        "%(name)s %(version)s is not newer than %(known)s, which is there. Versions in use never "
        "change; give the files a newer version."
    )


class FilesInvalid(TableInvalid):
    """Files that are no questionnaire; each fault names file, line and field."""

    message = marked("The files were not taken. Mend these places: %(faults)s")


@dataclass(frozen=True)
class Version:
    """A questionnaire in one version, and whether a round has asked it."""

    questionnaire: Questionnaire
    is_asked: bool
    is_current: bool


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


def versions(session: Session) -> list[Version]:
    """Return every questionnaire in every version that ships or was taken, the newest first."""
    asked = select(Round.id).where(Round.questionnaire_id == StoredQuestionnaire.id).exists()
    stored = {
        (each.name, _number(each.version)): (read(each), is_asked)
        for each, is_asked in session.execute(select(StoredQuestionnaire, asked))
    }
    known = {(each.name, _number(each.version)): (each, False) for each in _all_shipped()} | stored
    newest = dict(sorted(known))
    return [
        Version(questionnaire, is_asked, is_current=number == newest[name])
        for (name, number), (questionnaire, is_asked) in sorted(known.items(), reverse=True)
    ]


def offered(session: Session) -> list[Questionnaire]:
    """Return each questionnaire in its newest version, by name."""
    current = [each.questionnaire for each in versions(session) if each.is_current]
    return sorted(current, key=lambda questionnaire: questionnaire.name)


def current(session: Session, name: str) -> Questionnaire:
    """Return a questionnaire in its newest version. Raises NotFound."""
    for questionnaire in offered(session):
        if questionnaire.name == name:
            return questionnaire
    raise NotFound("There is no questionnaire %(name)s.", name=name)


def version(session: Session, name: str, wanted: str) -> Questionnaire:
    """Return a questionnaire in one version. Raises NotFound."""
    for each in versions(session):
        if (each.questionnaire.name, each.questionnaire.version) == (name, wanted):
            return each.questionnaire
    raise NotFound


def take(
    session: Session, questionnaire: Questionnaire, now: datetime, actor: Person | None = None
) -> None:
    """Take a questionnaire, or a newer version of one. Raises VersionNotNewer."""
    name, version = questionnaire.name, questionnaire.version
    for known in offered(session):
        if known.name == name and _number(version) <= _number(known.version):
            raise VersionNotNewer(name=name, version=version, known=known.version)
    store(session, questionnaire)
    audit.record(session, actor, marked("questionnaire taken"), f"{name} {version}", now)


def read_files(files: Mapping[str, bytes]) -> Questionnaire:
    """Read a questionnaire from its files by name. Raises FilesInvalid with every mistake."""
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "files"
        folder.mkdir()
        for name, content in files.items():
            # Only the last part of a name, and only what may be a questionnaire's file.
            if FILE_NAME.fullmatch(name):
                (folder / name).write_bytes(content)
        try:
            return loader.read(folder)
        except loader.QuestionnaireInvalid as error:
            mistakes = [Refused(marked("%(mistake)s"), mistake=each) for each in error.mistakes]
            raise FilesInvalid([Fault(0, "files", each) for each in mistakes]) from None


def _all_shipped() -> list[Questionnaire]:
    return [shipped(name) for name in loader.builtin_names()]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


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
