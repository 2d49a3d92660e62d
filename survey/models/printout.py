"""PDFs of previews that workers printed before anybody asked for them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, enumerated


class PrintState(StrEnum):
    """How far a PDF is; one that failed or was stopped is printed when somebody asks for it."""

    PRINTING = "printing"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Printout(Base):
    """The PDF of one preview. A release without such a row waits to be printed."""

    __tablename__ = "printout"
    __table_args__ = (
        sa.CheckConstraint("(state = 'done') = (pdf IS NOT NULL)", "pdf_once_done"),
        sa.CheckConstraint("attempts >= 0", "attempts_not_negative"),
    )

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("release.round_id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[PrintState] = mapped_column(enumerated(PrintState))
    attempts: Mapped[int] = mapped_column(default=0)
    # When its worker is taken for dead.
    due_at: Mapped[datetime]
    # Of the page that was printed: a preview that says more by now is printed anew.
    html_sha256: Mapped[str] = mapped_column(default="")
    pdf: Mapped[bytes | None]
