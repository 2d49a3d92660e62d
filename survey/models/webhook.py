"""What another program is still to be told of rounds."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.models.base import Base, enumerated, random_id
from survey.models.round import Round


class WebhookKind(StrEnum):
    """What has become of a round."""

    OPENED = "round.opened"
    ENOUGH = "round.enough"
    RELEASED = "round.released"
    VOID = "round.void"


class Webhook(Base):
    """One message to the other program; gone once it has taken it. Given up: none is due."""

    __tablename__ = "webhook"
    __table_args__ = (sa.CheckConstraint("attempts >= 0", "attempts_not_negative"),)

    id: Mapped[UUID] = random_id()
    kind: Mapped[WebhookKind] = mapped_column(enumerated(WebhookKind))
    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), index=True
    )
    happened_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    trouble: Mapped[str] = mapped_column(default="")

    round: Mapped[Round] = relationship()
