"""Tokens with which other programs act for a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.models.base import Base, not_blank, random_id
from survey.models.person import Person


class Token(Base):
    """What a program shows instead of signing in, until it ends; known only by its keyed hash.

    `scopes` are words with spaces between them: what it may do of what its person may.
    """

    __tablename__ = "token"
    __table_args__ = (*not_blank("name", "scopes"),)

    id: Mapped[UUID] = random_id()
    person_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    scopes: Mapped[str]
    digest: Mapped[bytes]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
