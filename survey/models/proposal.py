"""What a leader proposes for an open round, and a second person has to agree to."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column

from survey.models.base import Base, enumerated, random_id
from survey.models.person import Person
from survey.models.round import Round


class ProposalKind(StrEnum):
    """What is to change."""

    CLOSE_EARLIER = "close_earlier"
    ASK_ONE_MORE = "ask_one_more"
    ASK_ONE_LESS = "ask_one_less"


class ProposalState(StrEnum):
    """Where a proposal stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Proposal(Base):
    """One change of an open round: an earlier closing day, or somebody more or less to ask.

    With the approved ones raters are told what has changed since they were invited.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        sa.CheckConstraint("(kind = 'close_earlier') = (closes_at IS NOT NULL)", "day_if_earlier"),
        sa.CheckConstraint("(kind = 'close_earlier') = (person_id IS NULL)", "person_if_roster"),
        sa.CheckConstraint("(person_id IS NULL) = (relationship IS NULL)", "person_in_a_role"),
        sa.CheckConstraint("proposer_id <> decider_id OR state = 'withdrawn'", "second_person"),
    )

    id: Mapped[UUID] = random_id()
    round_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("round.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[ProposalKind] = mapped_column(enumerated(ProposalKind))
    closes_at: Mapped[datetime | None]
    person_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id"))
    relationship: Mapped[str | None]
    state: Mapped[ProposalState] = mapped_column(
        enumerated(ProposalState), default=ProposalState.WAITING, index=True
    )
    proposer_id: Mapped[UUID] = mapped_column(sa.ForeignKey("person.id"))
    decider_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("person.id"))
    decided_on: Mapped[date | None]

    round: Mapped[Round] = orm.relationship()
    person: Mapped[Person | None] = orm.relationship(foreign_keys=person_id)
    proposer: Mapped[Person] = orm.relationship(foreign_keys=proposer_id)
    decider: Mapped[Person | None] = orm.relationship(foreign_keys=decider_id)
