"""Rounds: preparing, opening, extending, ending, and how far they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from questionnaires.definition import SELF, Questionnaire
from reports.language import spoken
from survey.answers import ballot_size
from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring, Side
from survey.models import (
    Answered,
    Approval,
    Ballot,
    Invitation,
    Leftover,
    MailKind,
    Nomination,
    Person,
    Programme,
    Round,
    RoundState,
    WebhookKind,
)
from survey.services import audit, custody, invitations, mails, questionnaires, webhooks
from survey.services.pieces import Piece, holding, piece

LONGEST_MESSAGE = 600
SHORTEST = timedelta(days=1)
LONGEST = timedelta(days=90)
# Within this time nobody is asked by more rounds than the installation allows.
LATELY = timedelta(days=90)
# A round that nobody extended or ended after its closing day is ended for them.
PATIENCE = timedelta(days=14)
# A trustee may be on holiday, but answers do not wait sealed for ever.
PATIENCE_FOR_TRUSTEE = timedelta(days=90)


class RoundStarted(Conflict):
    """What is asked, and of whom, can only change before the invitations are sent."""

    message = marked("This round has opened; what is asked and of whom can no longer change.")


class RoundNotOpen(Conflict):
    """Only an open round can be extended or ended."""

    message = marked("This round is not open.")


class DayInvalid(Refused):
    """A closing day that is too near, too far, or before the present one."""

    status = 422
    message = marked("The closing day must be at least one day and at most 90 days from now.")


class NotLater(Refused):
    """An extension that would shorten the round."""

    status = 422
    message = marked("The new closing day must be later than the present one.")


class RatersMissing(Refused):
    """So few raters that nothing could ever be shown."""

    status = 422
    message = marked(
        "Name at least %(k)s raters besides yourself: with fewer answers nothing may be shown, "
        "and the answers would be destroyed unopened."
    )


class AskedTooOften(Refused):
    """People whom many others have asked lately."""

    status = 422
    message = marked(
        "%(names)s: asked by %(most)s rounds within 90 days already, which is the most here. Name "
        "somebody else, or ask later."
    )


class MessageTooLong(Refused):
    """A message that would fill the mail."""

    status = 422
    message = marked("A message to raters has at most %(most)s characters.")


class NoLeader(Refused):
    """A round, or a coach's access, for somebody who could never read the preview."""

    status = 422
    message = marked("%(name)s is no leader here; give them that role first.")


class RoundInProgramme(Conflict):
    """An administrator set this round up for the leader."""

    message = marked(
        "This round is part of a programme. Whoever runs the programme can take it out."
    )


class NotYet(Conflict):
    """A programme's invitations go out together."""

    message = marked("The invitations of this programme go out on their common day, by themselves.")


class NotApproved(Conflict):
    """A manager has to look at the raters first."""

    message = marked("The raters have to be approved before the invitations can be sent.")


class ChoiceInvalid(Refused):
    """A level or language that the questionnaire does not have."""

    status = 422
    message = marked("%(questionnaire)s has no %(choice)s.")


@dataclass(frozen=True)
class Enough:
    """Which groups have at least k answers, and whether all of them together have."""

    groups: dict[str, bool]
    together: bool


@dataclass(frozen=True)
class Choices:
    """What a leader chooses for a round, until it opens."""

    level: str
    language: str
    closes_at: datetime
    message: str = ""
    coach_first: bool = False


def prepare(
    session: Session,
    leader: Person,
    questionnaire: Questionnaire,
    choices: Choices,
    k: int,
    now: datetime,
    actor: Person | None = None,
    programme: Programme | None = None,
) -> Round:
    """Prepare a round for a leader, on the days of a programme if it is part of one.

    Raises NoLeader, ChoiceInvalid, DayInvalid, VersionChanged.
    """
    if not leader.leads:
        raise NoLeader(name=leader.name)
    _check(questionnaire, choices, now, programme)
    round_ = Round(
        leader_id=leader.id,
        questionnaire_id=questionnaires.store(session, questionnaire).id,
        level=choices.level,
        language=choices.language,
        message=choices.message,
        coach_first=choices.coach_first,
        k=k,
        state=RoundState.DRAFT,
        closes_at=programme.closes_at if programme else choices.closes_at,
        programme=programme,
    )
    session.add(round_)
    session.flush()
    audit.record(session, actor, marked("round prepared"), round_, now)
    return round_


def change(
    session: Session, round_: Round, choices: Choices, now: datetime, actor: Person | None = None
) -> None:
    """Change what a round will ask, before it opens. Raises RoundStarted and as `prepare`."""
    hold_prepared(session, round_)
    _check(questionnaires.read(round_.questionnaire), choices, now, round_.programme)
    round_.level, round_.language = choices.level, choices.language
    round_.message, round_.coach_first = choices.message, choices.coach_first
    if round_.programme is None:
        round_.closes_at = choices.closes_at
    session.flush()
    audit.record(session, actor, marked("round changed"), round_, now)


def discard(session: Session, round_: Round, now: datetime, actor: Person | None = None) -> None:
    """Delete a round that has not opened. Raises RoundStarted, RoundInProgramme."""
    hold_prepared(session, round_)
    if round_.programme is not None:
        raise RoundInProgramme
    audit.record(session, actor, marked("round discarded"), round_, now)
    session.delete(round_)
    session.flush()


def _check(
    questionnaire: Questionnaire, choices: Choices, now: datetime, programme: Programme | None
) -> None:
    for choice, known in (
        (choices.level, questionnaire.structure.levels),
        (choices.language, languages(questionnaire)),
    ):
        if choice not in known:
            raise ChoiceInvalid(questionnaire=questionnaire.name, choice=choice)
    if len(choices.message) > LONGEST_MESSAGE:
        raise MessageTooLong(most=LONGEST_MESSAGE)
    if programme is None:
        _check_closing_day(choices.closes_at, now)


def languages(questionnaire: Questionnaire) -> tuple[str, ...]:
    """Return the languages in which a round can ask: with questions as well as pages."""
    return tuple(code for code in questionnaire.texts if code in spoken())


def _check_closing_day(closes_at: datetime, now: datetime) -> None:
    if not now + SHORTEST <= closes_at <= now + LONGEST:
        raise DayInvalid


def open_round(
    session: Session,
    keyring: Keyring,
    round_: Round,
    now: datetime,
    actor: Person | None = None,
    rounds_a_person: int = 0,
) -> None:
    """Open a round: make its keys, and queue an invitation for every rater and the leader.

    Raises RoundStarted, RatersMissing, DayInvalid, NotYet, NotApproved, AskedTooOften where
    somebody was asked by `rounds_a_person` others (0: no limit), NoBallotKey, KeyringUnusable.
    """
    claimed = session.execute(
        update(Round)
        .where(
            Round.id == round_.id,
            Round.state.in_([RoundState.DRAFT, RoundState.NOMINATING]),
        )
        .values(state=RoundState.NOMINATING)
        .returning(Round.id)
    )
    if claimed.scalar_one_or_none() is None:
        raise RoundStarted
    session.refresh(round_)
    if len(round_.nominations) < round_.k:
        raise RatersMissing(k=round_.k)
    _check_closing_day(round_.closes_at, now)
    if round_.programme is not None and now < round_.programme.opens_at:
        raise NotYet
    if not is_approved(round_):
        raise NotApproved
    raters = [each.person_id for each in round_.nominations]
    check_how_often(session, raters, now, rounds_a_person)
    # The claim holds the row's lock, so nobody else makes keys for this round meanwhile.
    keys = custody.make_keys(session, keyring, round_)
    round_.ballot_size = ballot_size(questionnaires.read(round_.questionnaire))
    round_.state, round_.opens_at = RoundState.OPEN, now
    if round_.pulse is None:
        round_.nominations.append(Nomination(person_id=round_.leader_id, relationship=SELF))
    session.flush()
    for nomination in round_.nominations:
        invitations.invite(session, nomination, keys, now)
    renew_enough(session, round_, now)
    webhooks.note(session, WebhookKind.OPENED, round_, now)
    act = marked("pulse sent") if round_.pulse else marked("round opened")
    audit.record(session, actor, act, round_, now)


def is_approved(round_: Round) -> bool:
    """Say whether a manager has approved the raters, where one has to."""
    programme = round_.programme
    return programme is None or not programme.approves or round_.approval is Approval.APPROVED


def check_how_often(session: Session, person_ids: Sequence[UUID], now: datetime, most: int) -> None:
    """Raise AskedTooOften if `most` rounds (0: no limit) have lately asked one of these people.

    Pulses take two minutes and do not count.
    """
    if not most:
        return
    query = (
        select(Person.name)
        .join(Nomination, Nomination.person_id == Person.id)
        .join(Round, Round.id == Nomination.round_id)
        .where(
            Person.id.in_(person_ids),
            Nomination.relationship != SELF,
            Round.opens_at > now - LATELY,
            Round.is_whole(),
        )
        .group_by(Person.id, Person.name)
        .having(func.count() >= most)
        .order_by(Person.name)
    )
    if names := list(session.scalars(query)):
        raise AskedTooOften(names=", ".join(names), most=most)


def extend(
    session: Session, round_: Round, closes_at: datetime, now: datetime, actor: Person | None = None
) -> None:
    """Move the closing day of an open round further on, also after it has passed.

    The answers stay sealed. Raises RoundNotOpen, NotLater, DayInvalid.
    """
    hold(session, round_)
    if closes_at <= round_.closes_at:
        raise NotLater
    _check_closing_day(closes_at, now)
    round_.closes_at = closes_at
    session.flush()
    audit.record(session, actor, marked("closing day moved"), round_, now)


def void(session: Session, round_: Round, now: datetime, actor: Person | None = None) -> None:
    """End an open round without a preview; its ballots are destroyed unopened.

    The leader is told, unless it was they who did it. The caller destroys the
    round's keys after the commit. Raises RoundNotOpen.
    """
    hold(session, round_)
    end(session, round_, RoundState.VOID)
    webhooks.note(session, WebhookKind.VOID, round_, now)
    if actor is None or actor.id != round_.leader_id:
        tell_void(session, round_, now)
    audit.record(session, actor, marked("round ended without preview"), round_, now)


def tell_void(session: Session, round_: Round, now: datetime) -> None:
    """Tell the leader that a round has ended without a result."""
    key = f"void:{round_.id}"
    mails.queue(session, MailKind.VOID, key, round_.leader, round_.language, now, round_=round_)


def end(session: Session, round_: Round, state: RoundState) -> None:
    """Leave nothing of what was sealed: ballots, links, unsent mails, who was reminded."""
    session.execute(delete(Ballot).where(Ballot.round_id == round_.id))
    mails.withdraw(session, round_)
    mails.forget_reminders(session, round_)
    session.execute(delete(Invitation).where(Invitation.nomination_id.in_(_nominations(round_))))
    round_.state = state
    round_.enough, round_.enough_on, round_.enough_together = None, None, False
    session.add_all(Leftover(round_id=round_.id, side=side) for side in Side.BOTH.parts())
    session.flush()


def hold_prepared(session: Session, round_: Round) -> None:
    """Hold the row of a round that has not opened until the commit: the worker opens it by itself.

    Raises RoundStarted.
    """
    lock(session, round_)
    if not round_.is_prepared():
        raise RoundStarted


def lock(session: Session, round_: Round) -> None:
    """Keep everybody else from changing a round until the commit, and read it anew."""
    # By itself: joined to other tables, PostgreSQL would not hold the row.
    session.execute(select(Round.id).where(Round.id == round_.id).with_for_update())
    session.refresh(round_)


def hold(session: Session, round_: Round) -> None:
    """Hold the row of an open round until the commit. Raises RoundNotOpen."""
    lock(session, round_)
    if round_.state is not RoundState.OPEN:
        raise RoundNotOpen


def _nominations(round_: Round) -> list[UUID]:
    return [nomination.id for nomination in round_.nominations]


def find(session: Session, round_id: UUID) -> Round:
    """Return a round. Raises NotFound."""
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise NotFound
    return round_


def of_leader(session: Session, leader: Person) -> list[Round]:
    """Return a leader's rounds, the latest closing day first; pulses belong to their plans."""
    query = select(Round).where(Round.leader_id == leader.id, Round.is_whole())
    return list(session.scalars(query.order_by(Round.closes_at.desc())))


def every(session: Session) -> list[Round]:
    """Return all rounds and pulses, the latest closing day first."""
    return list(session.scalars(select(Round).order_by(Round.closes_at.desc())))


def some(
    session: Session, number: int, words: str = "", leader: Person | None = None
) -> Piece[Round]:
    """Return one piece of all rounds and pulses, or of those whose leader's name has these words.

    Only of one leader, if one is given. The latest closing day first.
    """
    query = select(Round).options(joinedload(Round.leader))
    if leader is not None:
        query = query.where(Round.leader_id == leader.id)
    if words:
        query = query.join(Person, Person.id == Round.leader_id).where(holding(words, Person.name))
    return piece(session.scalars, query.order_by(Round.closes_at.desc(), Round.id.desc()), number)


def due(session: Session, now: datetime) -> list[UUID]:
    """Return the open rounds whose closing day has passed."""
    query = select(Round.id).where(Round.state == RoundState.OPEN, Round.closes_at <= now)
    return list(session.scalars(query))


def asked(session: Session, round_: Round) -> Counter[str]:
    """Return how many people of each relationship are named in a round."""
    query = select(Nomination.relationship).where(Nomination.round_id == round_.id)
    return Counter(session.scalars(query))


def answered(session: Session, round_: Round) -> Counter[str]:
    """Return how many of each relationship have sent their answers."""
    query = (
        select(Nomination.relationship)
        .join(Invitation)
        .where(Nomination.round_id == round_.id, Invitation.answered == Answered.ANSWERED)
    )
    return Counter(session.scalars(query))


def renew_enough(session: Session, round_: Round, now: datetime) -> None:
    """Note which groups have at least k answers, once a day at most.

    Renewed with every answer it would tell the leader who answered when.
    """
    if round_.enough_on == now.date():
        return
    sent, before = answered(session, round_), enough(round_)
    raters = [name for name in asked(session, round_) if name != SELF]
    # What was enough stays so: nobody is to see from it that somebody has withdrawn.
    noted = Enough(
        groups={name: before.groups.get(name, False) or sent[name] >= round_.k for name in raters},
        together=before.together or sum(sent[name] for name in raters) >= round_.k,
    )
    round_.enough, round_.enough_on = json.dumps(asdict(noted)), now.date()
    round_.enough_together = noted.together
    session.flush()
    if noted.together and not before.together:
        webhooks.note(session, WebhookKind.ENOUGH, round_, now)


def enough(round_: Round) -> Enough:
    """Return what had enough answers on `round_.enough_on`."""
    return Enough(**json.loads(round_.enough)) if round_.enough else Enough({}, together=False)


def to_renew(session: Session, now: datetime) -> list[UUID]:
    """Return the open rounds whose groups were not looked at today."""
    query = select(Round.id).where(
        Round.state == RoundState.OPEN,
        or_(Round.enough_on.is_(None), Round.enough_on < now.date()),
    )
    return list(session.scalars(query))
