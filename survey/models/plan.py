"""What a leader practises after a preview, in their own words, and whether it is noticed."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, not_blank
from survey.models.round import Release, Round


class Plan(Base):
    """One plan for one release: one or two practices, a first step, and a weekly slot."""

    __tablename__ = "plan"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", "weekday_from_monday"),
        sa.CheckConstraint("(weekday IS NULL) = (begins_at IS NULL)", "slot_whole"),
        sa.CheckConstraint("minutes > 0", "minutes_positive"),
    )

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("release.round_id", ondelete="CASCADE"), primary_key=True
    )
    chosen_on: Mapped[date]
    vision: Mapped[str] = mapped_column(default="")
    first_step: Mapped[str] = mapped_column(default="")
    # The weekly slot, if there is one, in the organisation's time zone.
    weekday: Mapped[int | None]
    begins_at: Mapped[time | None]
    minutes: Mapped[int] = mapped_column(default=30)
    place: Mapped[str] = mapped_column(default="")
    thanks: Mapped[str] = mapped_column(default="")
    thanked_at: Mapped[datetime | None]

    release: Mapped[Release] = orm.relationship()
    practices: Mapped[list[PlannedPractice]] = orm.relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="PlannedPractice.position"
    )
    pulses: Mapped[list[Pulse]] = orm.relationship(
        back_populates="plan", order_by="Pulse.number", passive_deletes="all"
    )


class PlannedPractice(Base):
    """A facet that the leader practises, and what others will notice."""

    __tablename__ = "planned_practice"
    __table_args__ = (*not_blank("facet"),)

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("plan.round_id", ondelete="CASCADE"), primary_key=True
    )
    facet: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    behaviour: Mapped[str] = mapped_column(default="")


class Pulse(Base):
    """The short follow-up to a plan: a round of its own, with what it asks and what came of it.

    The round is a draft until the day on which it asks; `behaviours` (a JSON list) are the
    plan's as they were then.
    """

    __tablename__ = "pulse"
    __table_args__ = (sa.UniqueConstraint("plan_id", "number"),)

    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    # Without a cascade: its round has to go first.
    plan_id: Mapped[UUID] = mapped_column(sa.ForeignKey("plan.round_id"))
    number: Mapped[int]
    asks_on: Mapped[date]
    behaviours: Mapped[str] = mapped_column(default="[]")
    released_on: Mapped[date | None]
    document: Mapped[str | None]
    sha256: Mapped[str | None]

    round: Mapped[Round] = orm.relationship(back_populates="pulse")
    plan: Mapped[Plan] = orm.relationship(back_populates="pulses")
