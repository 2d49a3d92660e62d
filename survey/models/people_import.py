"""Imports of people that go on in the background, piece by piece."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.models.base import Base, enumerated, random_id
from survey.models.person import Person


class ImportState(StrEnum):
    """Where an import stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class PeopleImport(Base):
    """A table of people that was checked as a whole; `done` of its rows are carried out."""

    __tablename__ = "people_import"
    __table_args__ = (
        sa.CheckConstraint("0 <= done AND done <= total", "done_within_total"),
        sa.CheckConstraint("(state = 'running') = (rows IS NOT NULL)", "rows_only_while_running"),
    )

    id: Mapped[UUID] = random_id()
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    begun_at: Mapped[datetime]
    state: Mapped[ImportState] = mapped_column(enumerated(ImportState), default=ImportState.RUNNING)
    # JSON: a list of [name, address, roles or null].
    rows: Mapped[str | None]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)

    actor: Mapped[Person | None] = relationship()
