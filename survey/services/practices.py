"""Practices: what a leader chooses to practise, the plan for it, and thanks to the raters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from survey.answers import MOST_PRACTICES
from survey.errors import Conflict, Refused, marked
from survey.models import MailKind, Nomination, Person, Plan, PlannedPractice, Release, Round
from survey.services import audit, mails, questionnaires
from survey.services.rounds import LONGEST_MESSAGE, MessageTooLong

MOST = MOST_PRACTICES
LONGEST_BEHAVIOUR = 200
LONGEST_STEP = 300
LONGEST_VISION = 600
LONGEST_PLACE = 100


class PracticesInvalid(Refused):
    """None, too many, or something that the questionnaire does not have."""

    status = 422
    message = marked("Choose one or two practices: more at once rarely change anything.")


class ThankedAlready(Conflict):
    """Raters get one message."""

    message = marked("Your message was sent already; raters get one.")


class NothingToSay(Refused):
    """An empty message."""

    status = 422
    message = marked("Write a sentence or two before you send it.")


@dataclass(frozen=True)
class Slot:
    """A weekly time for practising: weekday from Monday = 0, where the organisation is."""

    weekday: int
    begins_at: time
    minutes: int
    place: str = ""


@dataclass(frozen=True)
class Written:
    """A plan as it is written: what others will notice, by facet, and what the leader does."""

    behaviours: Mapping[str, str]
    first_step: str = ""
    vision: str = ""
    slot: Slot | None = None


def plan_for(session: Session, release: Release) -> Plan | None:
    """Return the plan that followed from a release, if there is one."""
    return session.get(Plan, release.round_id)


def choose(session: Session, release: Release, facets: Sequence[str], today: date) -> Plan:
    """Choose what to practise; what was written for a facet that stays is kept.

    Raises PracticesInvalid.
    """
    level = release.round.level
    known = [facet.id for facet in questionnaires.read(release.round.questionnaire).asked_at(level)]
    chosen = [facet for facet in known if facet in facets]
    if not 0 < len(chosen) <= MOST or len(chosen) != len(set(facets)):
        raise PracticesInvalid
    plan = plan_for(session, release)
    if plan is None:
        plan = Plan(round_id=release.round_id, chosen_on=today)
        session.add(plan)
    written = {each.facet: each.behaviour for each in plan.practices}
    plan.practices.clear()
    session.flush()
    plan.practices = [
        PlannedPractice(facet=facet, position=position, behaviour=written.get(facet, ""))
        for position, facet in enumerate(chosen)
    ]
    session.flush()
    return plan


def write(session: Session, plan: Plan, written: Written) -> None:
    """Write the plan down, in place of what stood there."""
    for practice in plan.practices:
        practice.behaviour = written.behaviours.get(practice.facet, practice.behaviour)
    plan.first_step, plan.vision = written.first_step, written.vision
    slot = written.slot
    plan.weekday = slot.weekday if slot else None
    plan.begins_at = slot.begins_at if slot else None
    if slot:
        plan.minutes, plan.place = slot.minutes, slot.place
    session.flush()


def slot_of(plan: Plan) -> Slot | None:
    """Return a plan's weekly slot, if it has one."""
    if plan.weekday is None or plan.begins_at is None:
        return None
    return Slot(plan.weekday, plan.begins_at, plan.minutes, plan.place)


def thank(session: Session, plan: Plan, message: str, now: datetime, actor: Person) -> int:
    """Queue one message to everybody who was asked, and return to how many.

    Nobody knows any more who answered. Raises ThankedAlready, NothingToSay, MessageTooLong.
    """
    if plan.thanked_at is not None:
        raise ThankedAlready
    if not message:
        raise NothingToSay
    if len(message) > LONGEST_MESSAGE:
        raise MessageTooLong(most=LONGEST_MESSAGE)
    round_ = plan.release.round
    plan.thanks, plan.thanked_at = message, now
    raters = asked(session, round_)
    for each in raters:
        key = f"thanks:{each.id}"
        mails.queue(session, MailKind.THANKS, key, each.person, round_.language, now, round_=round_)
    audit.record(session, actor, marked("raters thanked"), round_, now)
    return len(raters)


def asked(session: Session, round_: Round) -> Sequence[Nomination]:
    """Return who was asked, whether they answered or not."""
    query = select(Nomination).where(
        Nomination.round_id == round_.id, Nomination.relationship != SELF
    )
    return session.scalars(query).all()
