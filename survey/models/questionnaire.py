"""Questionnaires as they were asked."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from survey.models.base import Base, random_id


class StoredQuestionnaire(Base):
    """A questionnaire in the version in which it was first used; it never changes again."""

    __tablename__ = "questionnaire"
    __table_args__ = (sa.UniqueConstraint("name", "version"),)

    id: Mapped[UUID] = random_id()
    name: Mapped[str]
    version: Mapped[str]
    digest: Mapped[str]
    document: Mapped[str]
