"""People: whoever leads, coaches, administers or is asked for feedback."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, not_blank, random_id


class Person(Base):
    """One person with one address; the flags say what they may do besides rating."""

    __tablename__ = "person"
    __table_args__ = (
        *not_blank("name", "email"),
        sa.CheckConstraint("email = lower(email)", "email_in_lower_case"),
        sa.Index("ix_person_name_email", "name", "email"),
        sa.Index("ix_person_coaches_name", "coaches", "name"),
    )

    id: Mapped[UUID] = random_id()
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    leads: Mapped[bool] = mapped_column(default=False)
    coaches: Mapped[bool] = mapped_column(default=False)
    administers: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    # Part of every signed-in session; a new one signs the person out everywhere.
    session_key: Mapped[str] = mapped_column(default=lambda: secrets.token_urlsafe(16))

    def may_sign_in(self) -> bool:
        """Say whether the person has anything to do here; raters never sign in."""
        return self.active and (self.leads or self.coaches or self.administers)


class SignInCode(Base):
    """A code that would sign a person in now, in the browser that asked for it.

    Browser and code are known only by their keyed hashes. No person: somebody asked
    with an address that is not known, and must not notice.
    """

    __tablename__ = "sign_in_code"
    __table_args__ = (sa.CheckConstraint("attempts_left >= 0", "attempts_not_negative"),)

    browser: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[bytes]
    expires_at: Mapped[datetime]
    attempts_left: Mapped[int]
