"""Rounds, and who is asked in them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, enumerated, not_blank, random_id
from survey.models.custody import Trustee
from survey.models.person import Person
from survey.models.questionnaire import StoredQuestionnaire

if TYPE_CHECKING:
    from survey.models.plan import Pulse


class RoundState(StrEnum):
    """Where a round stands: `nominating` once at least k raters are named.

    `closing` lasts only as long as the closing transaction.
    """

    DRAFT = "draft"
    NOMINATING = "nominating"
    OPEN = "open"
    CLOSING = "closing"
    RELEASED = "released"
    VOID = "void"


ENDED = (RoundState.RELEASED, RoundState.VOID)


class Approval(StrEnum):
    """Where the approval of a round's raters stands, for those who need one."""

    NOT_ASKED = "not_asked"
    WAITING = "waiting"
    APPROVED = "approved"
    SENT_BACK = "sent_back"


class Programme(Base):
    """Rounds of many leaders on common days, set up by an administrator."""

    __tablename__ = "programme"
    __table_args__ = (
        sa.CheckConstraint("opens_at < closes_at", "opens_first"),
        *not_blank("name", "level", "language"),
    )

    id: Mapped[UUID] = random_id()
    name: Mapped[str] = mapped_column(unique=True)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    # A manager approves each leader's raters before they are asked.
    approves: Mapped[bool] = mapped_column(default=False)
    # What its leaders begin with.
    questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire.id"))
    level: Mapped[str]
    language: Mapped[str]
    message: Mapped[str] = mapped_column(default="")
    # An administrator lets the mails wait that ask its raters.
    mails_held: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    questionnaire: Mapped[StoredQuestionnaire] = orm.relationship()


class Round(Base):
    """One leader's collecting of feedback: a questionnaire at a level, and the days it is open.

    One with a `pulse` asks only what that asks.

    Its keys are in the keyring, and gone once it is released or void. Not even
    the public ones are here: whoever could change them could read what is sealed next.
    """

    __tablename__ = "round"
    __table_args__ = (
        sa.CheckConstraint("opens_at < closes_at", "opens_first"),
        sa.CheckConstraint("k >= 3", "k_at_least_three"),
        sa.CheckConstraint(
            "state NOT IN ('open', 'closing') OR (opens_at IS NOT NULL AND ballot_size IS NOT"
            " NULL)",
            "open_with_a_size",
        ),
        *not_blank("level", "language"),
        sa.Index("ix_round_closes_at_id", "closes_at", "id"),
        sa.Index("ix_round_programme_id_place", "programme_id", "place"),
        # What a programme's tally counts.
        sa.Index(
            "ix_round_alike", "programme_id", "state", "approval", "enough_together", "closes_at"
        ),
    )

    id: Mapped[UUID] = random_id()
    leader_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire.id"), index=True)
    level: Mapped[str]
    language: Mapped[str]
    message: Mapped[str] = mapped_column(default="")
    k: Mapped[int]
    state: Mapped[RoundState] = mapped_column(
        enumerated(RoundState), default=RoundState.DRAFT, index=True
    )
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime]
    ballot_size: Mapped[int | None]
    # Who holds the second key to the ballots, if anybody; fixed when the round opens.
    trustee_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("trustee.id"))
    # Which groups have enough answers, as of one day: renewed daily, so that no click moves it.
    enough: Mapped[str | None]
    # The part of it that a programme counts.
    enough_together: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    enough_on: Mapped[date | None]
    # How many reminders the leader has sent, and when the last one.
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
    # The leader reads the preview once a coach has opened the conversation.
    coach_first: Mapped[bool] = mapped_column(default=False)
    # The programme that it is part of, and who approves its raters, if anybody has to.
    programme_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("programme.id"))
    # In which order the programme's leaders were added.
    place: Mapped[int | None]
    approver_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("person.id", ondelete="SET NULL")
    )
    approval: Mapped[Approval] = mapped_column(enumerated(Approval), default=Approval.NOT_ASKED)
    approval_note: Mapped[str] = mapped_column(default="")

    leader: Mapped[Person] = orm.relationship(foreign_keys=leader_id)
    approver: Mapped[Person | None] = orm.relationship(foreign_keys=approver_id)
    programme: Mapped[Programme | None] = orm.relationship()
    pulse: Mapped[Pulse | None] = orm.relationship(
        back_populates="round", uselist=False, passive_deletes="all"
    )
    trustee: Mapped[Trustee | None] = orm.relationship()
    questionnaire: Mapped[StoredQuestionnaire] = orm.relationship()
    nominations: Mapped[list[Nomination]] = orm.relationship(
        back_populates="round", cascade="all, delete-orphan", passive_deletes=True
    )

    @classmethod
    def is_whole(cls) -> sa.ColumnElement[bool]:
        """Return the condition for queries that leaves out pulses."""
        return ~cls.pulse.has()

    def is_collecting(self, now: datetime) -> bool:
        """Say whether raters may answer; at closes_at they no longer may."""
        return self.state is RoundState.OPEN and now < self.closes_at

    def is_due(self, now: datetime) -> bool:
        """Say whether the closing day has passed and the round waits to be closed."""
        return self.state is RoundState.OPEN and self.closes_at <= now

    def is_prepared(self) -> bool:
        """Say whether the round has not opened yet, so that everything may still change."""
        return self.state in (RoundState.DRAFT, RoundState.NOMINATING)


class Nomination(Base):
    """A person proposed as a rater of a round, in one relationship; the leader's own is self."""

    __tablename__ = "nomination"
    __table_args__ = (
        sa.UniqueConstraint("round_id", "person_id"),
        *not_blank("relationship"),
    )

    id: Mapped[UUID] = random_id()
    round_id: Mapped[UUID] = mapped_column(sa.ForeignKey("round.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"), index=True)
    relationship: Mapped[str]

    round: Mapped[Round] = orm.relationship(back_populates="nominations")
    person: Mapped[Person] = orm.relationship()


class Answered(StrEnum):
    """What an invited rater has done: nothing that is known, sent answers, or declined."""

    NOT_YET = "not_yet"
    ANSWERED = "answered"
    DECLINED = "declined"


class Invitation(Base):
    """The link of one rater, while the round is open; it is deleted at the close.

    `lookup` is derived from the link's token with the round's pepper; the token
    itself is here only sealed to the round's mail key, for the mails.
    """

    __tablename__ = "invitation"

    id: Mapped[UUID] = random_id()
    nomination_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("nomination.id", ondelete="CASCADE"), unique=True
    )
    lookup: Mapped[bytes] = mapped_column(unique=True)
    sealed_token: Mapped[bytes]
    answered: Mapped[Answered] = mapped_column(enumerated(Answered), default=Answered.NOT_YET)
    # The rater wants no more reminders; the form stays open.
    undisturbed: Mapped[bool] = mapped_column(default=False)

    nomination: Mapped[Nomination] = orm.relationship()


class Ballot(Base):
    """A rater's sealed answers, and their draft under a key that only their link gives.

    Nothing here says whose it is, in which relationship, when or in which
    language: `handle` comes from the link, and both texts have the same size in
    every ballot of the round.
    """

    __tablename__ = "ballot"

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    handle: Mapped[bytes] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    resume: Mapped[bytes]


class Release(Base):
    """What a close leaves behind: one frozen document, and the digest it is known by."""

    __tablename__ = "release"

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    released_on: Mapped[date] = mapped_column(index=True)
    document: Mapped[str]
    sha256: Mapped[str]
    # The leader lets its figures go into a team report, once.
    offered: Mapped[bool] = mapped_column(default=False, index=True)
    # When the leader was told that it is there to read; a coach may come first.
    handed_over_at: Mapped[datetime | None]

    round: Mapped[Round] = orm.relationship()


class CoachAccess(Base):
    """A leader lets a coach read their previews; taking it back deletes the row, notes included."""

    __tablename__ = "coach_access"
    __table_args__ = (sa.CheckConstraint("leader_id <> coach_id", "not_oneself"),)

    leader_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    coach_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )

    # The coach's own, for nobody else's eyes.
    notes: Mapped[str] = mapped_column(default="")

    leader: Mapped[Person] = orm.relationship(foreign_keys=leader_id)
    coach: Mapped[Person] = orm.relationship(foreign_keys=coach_id)
