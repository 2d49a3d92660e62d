"""When work that comes again is due next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base


class Schedule(Base):
    """A task by name; a worker takes its turn by moving the time on."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
