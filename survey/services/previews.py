"""Previews: what a release says, with what came before and after it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from reports.preview import Preview
from reports.release import Release as Document
from survey.models import Release
from survey.services import coaching, pulses, questionnaires


def of(session: Session, release: Release) -> Preview:
    """Return the preview of a release, beside its leader's one before, with its pulses."""
    before = coaching.release_before(session, release)
    return _read(session, release, _read(session, before) if before else None)


def _read(session: Session, release: Release, before: Preview | None = None) -> Preview:
    document = Document.model_validate_json(release.document)
    asked = questionnaires.read(release.round.questionnaire)
    return Preview(document, asked, before, pulses.releases(session, release))
