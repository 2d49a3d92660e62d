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
    """What would sign a person in now, in the browser that asked: a code, or a passkey's answer.

    Browser and code (or challenge to the passkey) are known only by their keyed hashes. No
    person: a passkey will say who it is, or somebody asked with an address that is not known,
    and must not notice.
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


class Passkey(Base):
    """A public key (WebAuthn) whose private half a person's device or password manager holds.

    `credential` is what the device attested: its id and the key. `uses` is what the device
    counts; 0 if it does not.
    """

    __tablename__ = "passkey"
    __table_args__ = (*not_blank("name"),)

    id: Mapped[UUID] = random_id()
    person_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    credential: Mapped[bytes]
    uses: Mapped[int] = mapped_column(sa.BigInteger)
    name: Mapped[str]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Authenticator(Base):
    """An app that shows a new code each half minute (TOTP, RFC 6238); none before it is confirmed.

    The secret is locked with a key of the keyring. `last_step` is the half minute, counted since
    1970, of the last code that was taken.
    """

    __tablename__ = "authenticator"

    person_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)
