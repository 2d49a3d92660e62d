"""The outbox: every mail is a row before it is sent, and stays one afterwards."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.models.base import Base, enumerated, not_blank, random_id
from survey.models.person import Person
from survey.models.round import Invitation, Round


class MailKind(StrEnum):
    """What a mail is about; each has its template."""

    INVITATION = "invitation"
    SIGN_IN = "sign_in"
    COACH_ACCESS = "coach_access"
    RELEASED = "released"
    VOID = "void"
    ADDRESS_CHANGED = "address_changed"
    TRUSTEE_NEEDED = "trustee_needed"
    CHANGE_PROPOSED = "change_proposed"
    ROUND_CHANGED = "round_changed"
    TEAM_REPORT = "team_report"
    REMINDER = "reminder"
    THANKS = "thanks"
    COACH_FIRST = "coach_first"
    PROGRAMME = "programme"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DECIDED = "approval_decided"
    SIGN_IN_CHANGED = "sign_in_changed"


class MailState(StrEnum):
    """Where a mail stands; `withdrawn` ones are no longer wanted."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


TROUBLED = sa.text("trouble <> ''")


class Mail(Base):
    """One mail to one person. `key` is unique, so that the same mail is never queued twice.

    What must not be read here (a sign-in code) is sealed to the mail side's key;
    an invitation's link is sealed in the invitation.
    """

    __tablename__ = "mail"
    __table_args__ = (
        *not_blank("key", "address"),
        sa.CheckConstraint("attempts >= 0", "attempts_not_negative"),
        sa.CheckConstraint("state <> 'sent' OR sealed IS NULL", "no_secret_once_sent"),
        sa.Index("ix_mail_state_due_at", "state", "due_at"),
        # Only where there is any, for those that are shown first.
        sa.Index("ix_mail_trouble", "due_at", sqlite_where=TROUBLED, postgresql_where=TROUBLED),
    )

    id: Mapped[UUID] = random_id()
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[MailKind] = mapped_column(enumerated(MailKind))
    person_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    address: Mapped[str]
    language: Mapped[str]
    round_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), index=True
    )
    invitation_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("invitation.id", ondelete="SET NULL"), index=True
    )
    sealed: Mapped[bytes | None]
    state: Mapped[MailState] = mapped_column(enumerated(MailState), default=MailState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")

    person: Mapped[Person] = relationship()
    round: Mapped[Round | None] = relationship()
    invitation: Mapped[Invitation | None] = relationship()
