"""Who can open ballots: keys that wait for their round, and trustees who hold a second one."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, random_id
from survey.models.person import Person


class BallotKey(Base):
    """The public half of a round's ballot key, on its way from the closing to the web side.

    Made ahead; opening a round takes one that is free. `signature` shows that it
    comes from the closing side. The row goes when the private half is destroyed.
    """

    __tablename__ = "ballot_key"

    id: Mapped[UUID] = random_id()
    public: Mapped[bytes]
    signature: Mapped[bytes]
    round_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("round.id", ondelete="SET NULL"), unique=True
    )


class Leftover(Base):
    """What one side still has to destroy of a round that has ended; the round's end writes it."""

    __tablename__ = "leftover"
    __table_args__ = (sa.CheckConstraint("side IN ('web', 'closing')", "of_one_side"),)

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    side: Mapped[str] = mapped_column(primary_key=True)


class Trustee(Base):
    """Somebody outside the server's administration who must take part in every close.

    Only the public half of their key is here; rounds that open from now on are
    sealed to it, until the trustee is retired.
    """

    __tablename__ = "trustee"

    id: Mapped[UUID] = random_id()
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    public: Mapped[bytes]
    signature: Mapped[bytes]
    retired_on: Mapped[date | None]

    person: Mapped[Person] = orm.relationship()
