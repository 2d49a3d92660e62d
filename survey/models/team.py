"""Team reports: what several leaders' previews say together."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, not_blank, random_id
from survey.models.questionnaire import StoredQuestionnaire
from survey.models.round import Release


class Team(Base):
    """A team report: one frozen document, and the releases behind it."""

    __tablename__ = "team"
    __table_args__ = (*not_blank("name"),)

    id: Mapped[UUID] = random_id()
    name: Mapped[str]
    questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire.id"))
    made_on: Mapped[date]
    document: Mapped[str]

    questionnaire: Mapped[StoredQuestionnaire] = orm.relationship()
    members: Mapped[list[TeamMember]] = orm.relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )


class TeamMember(Base):
    """A release that is part of a team report.

    The key is the release alone: two team reports with a leader's release between them
    would tell what that leader's says.
    """

    __tablename__ = "team_member"

    round_id: Mapped[UUID] = mapped_column(sa.ForeignKey("release.round_id"), primary_key=True)
    team_id: Mapped[UUID] = mapped_column(sa.ForeignKey("team.id", ondelete="CASCADE"), index=True)

    release: Mapped[Release] = orm.relationship()
