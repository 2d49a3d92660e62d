"""Pulses: the short follow-up that asks the same raters whether a practice has become visible.

Each is a round of its own, so that invitations, seals and the close are the same.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from questionnaires.definition import SELF
from reports.release import PulseRelease
from survey import clock
from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import (
    MailKind,
    Nomination,
    Person,
    Plan,
    Pulse,
    Release,
    Round,
    RoundState,
)
from survey.services import audit, mails, practices, questionnaires, rounds
from survey.services.rounds import RatersMissing

OPEN_FOR = timedelta(days=14)
PATIENCE = timedelta(days=30)


class PulsesPlanned(Conflict):
    """A plan is followed up once."""

    message = marked("The pulses of this plan are planned already.")


class PulsesTooLate(Conflict):
    """All days on which a pulse would ask have passed."""

    message = marked("It is too late for a pulse; ask again with a whole round instead.")


class PulseEnded(Conflict):
    """A pulse that was sent and has ended stays as it is."""

    message = marked("This pulse has ended already.")


class BehaviourMissing(Refused):
    """A pulse asks about behaviours, and none is written down."""

    status = 409
    message = marked("Write down what others will notice first: that is what a pulse asks about.")


def days(plan: Plan) -> list[date]:
    """Return the days on which a plan's pulses ask, as its questionnaire says."""
    pulse = questionnaires.read(plan.release.round.questionnaire).structure.pulse
    return [plan.chosen_on + timedelta(days=after) for after in pulse.after_days]


def plan_pulses(
    session: Session, plan: Plan, now: datetime, zone: tzinfo, actor: Person | None = None
) -> list[Pulse]:
    """Plan a plan's pulses on the days that are still to come.

    Raises PulsesPlanned, BehaviourMissing, PulsesTooLate.
    """
    if plan.pulses:
        raise PulsesPlanned
    if not _behaviours(plan):
        raise BehaviourMissing
    today = now.astimezone(zone).date()
    found = [(number, day) for number, day in enumerate(days(plan), start=1) if day > today]
    if not found:
        raise PulsesTooLate
    before = plan.release.round
    for number, day in found:
        round_ = Round(
            leader_id=before.leader_id,
            questionnaire_id=before.questionnaire_id,
            level=before.level,
            language=before.language,
            k=before.k,
            state=RoundState.DRAFT,
            closes_at=clock.end_of(day + OPEN_FOR, zone),
        )
        plan.pulses.append(Pulse(round=round_, number=number, asks_on=day))
    session.flush()
    audit.record(session, actor, marked("pulses planned"), before, now)
    return plan.pulses


def find(plan: Plan, number: int) -> Pulse:
    """Return a plan's pulse. Raises NotFound."""
    for pulse in plan.pulses:
        if pulse.number == number:
            return pulse
    raise NotFound


def leave_out(session: Session, pulse: Pulse, now: datetime, actor: Person | None = None) -> None:
    """Do not send a pulse, or end it unopened if it was sent. Raises PulseEnded."""
    round_ = pulse.round
    # Held until the commit: the worker sends it by itself.
    rounds.lock(session, round_)
    if round_.state is RoundState.OPEN:
        rounds.void(session, round_, now, actor)
        return
    if not round_.is_prepared():
        raise PulseEnded
    audit.record(session, actor, marked("pulse left out"), round_, now)
    _drop(session, pulse)


def due(session: Session, today: date) -> list[Pulse]:
    """Return the planned pulses whose day has come."""
    query = select(Pulse).join(Round).where(Round.state == RoundState.DRAFT, Pulse.asks_on <= today)
    return list(session.scalars(query))


def open_pulse(
    session: Session, keyring: Keyring, pulse: Pulse, now: datetime, zone: tzinfo
) -> None:
    """Ask the raters of the plan's round what they notice of the plan as it is now.

    Dropped is a pulse whose leader leads no longer or has asked with a whole round since; ended
    is one with too few raters left; one without a behaviour waits 30 days for it. Raises as
    `rounds.open_round`.
    """
    round_ = pulse.round
    rounds.hold_prepared(session, round_)
    before = pulse.plan.release.round
    others = [each for each in pulse.plan.pulses if each is not pulse]
    if any(each.round.state is RoundState.OPEN for each in others):
        # Two at once would differ by whoever answers only one of them.
        return
    today = now.astimezone(zone).date()
    if any(pulse.asks_on < each.asks_on <= today for each in others):
        _drop(session, pulse)
        return
    if not (round_.leader.leads and round_.leader.active) or _asked_since(session, before):
        _drop(session, pulse)
        return
    behaviours = _behaviours(pulse.plan)
    if not behaviours:
        # Not for ever: what waits keeps its preview from going in time.
        if today > pulse.asks_on + PATIENCE:
            _drop(session, pulse)
        return
    pulse.behaviours = json.dumps(behaviours, ensure_ascii=False)
    round_.closes_at = clock.end_of(today + OPEN_FOR, zone)
    round_.nominations = [
        Nomination(person_id=each.person_id, relationship=each.relationship)
        for each in before.nominations
        if each.relationship != SELF and each.person.active
    ]
    session.flush()
    try:
        rounds.open_round(session, keyring, round_, now)
    except RatersMissing:
        rounds.end(session, round_, RoundState.VOID)
        rounds.tell_void(session, round_, now)


def keep_result(session: Session, pulse: Pulse, document: str, sha256: str, day: date) -> None:
    """Keep what came of a pulse."""
    pulse.document, pulse.sha256, pulse.released_on = document, sha256, day
    session.flush()


def announce(session: Session, pulse: Pulse, now: datetime) -> None:
    """Tell the leader that a pulse is there to read."""
    round_ = pulse.round
    key = f"released:{round_.id}"
    mails.queue(session, MailKind.RELEASED, key, round_.leader, round_.language, now, round_=round_)


def releases(session: Session, release: Release) -> list[PulseRelease]:
    """Return what came of the pulses that followed a release, in their order."""
    plan = practices.plan_for(session, release)
    return [
        PulseRelease.model_validate_json(pulse.document)
        for pulse in (plan.pulses if plan else [])
        if pulse.document is not None
    ]


def _behaviours(plan: Plan) -> list[str]:
    return [practice.behaviour for practice in plan.practices if practice.behaviour]


def _asked_since(session: Session, before: Round) -> bool:
    """Say whether the leader has opened a whole round after this one."""
    later = aliased(Round)
    query = exists().where(
        later.leader_id == before.leader_id,
        later.opens_at > before.closes_at,
        later.is_whole(),
    )
    return bool(session.scalar(select(query)))


def _drop(session: Session, pulse: Pulse) -> None:
    plan = pulse.plan
    session.delete(pulse.round)
    session.delete(pulse)
    session.flush()
    session.expire(plan, ["pulses"])
