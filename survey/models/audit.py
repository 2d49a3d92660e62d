"""What staff did; never anything about raters' answers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.models.base import Base, not_blank
from survey.models.person import Person


class AuditEntry(Base):
    """One act of a leader, coach or administrator.

    No actor: the server or the command line, or somebody who was erased since.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (*not_blank("act"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    actor_erased: Mapped[bool] = mapped_column(default=False)
    act: Mapped[str]
    # What or whom it is about, in words; and the person named there, who may be erased one day.
    subject: Mapped[str]
    about_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("person.id", ondelete="SET NULL"), index=True
    )

    actor: Mapped[Person | None] = relationship(foreign_keys=actor_id)
