"""Ballots: a rater's way from the link to sealed answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from questionnaires.definition import SELF, Questionnaire
from reports.answers import Answers
from survey import sealing
from survey.answers import Draft
from survey.envelope import Content, Envelope
from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring, RoundKeys
from survey.models import Answered, Ballot, Invitation, Nomination, Round, RoundState
from survey.sealing import FromToken
from survey.services import custody, invitations, mails, questionnaires
from survey.services.custody import Custody

MANAGER = "manager"
LARGEST_FOR_CHOICE = 2
FEWEST_ITEMS = 0.5

# Built once: that, and loading one thing after the other, took longer than the database.
OF_ROUND: BindParameter[UUID] = bindparam("round_id")
ROUND = (
    select(Round)
    .options(*map(joinedload, (Round.leader, Round.questionnaire, Round.pulse)))
    .where(Round.id == OF_ROUND)
)
_alike = aliased(Nomination)
_asked_alike = select(func.count()).where(
    _alike.round_id == Nomination.round_id, _alike.relationship == Nomination.relationship
)
INVITED = (
    select(Invitation, Nomination, _asked_alike.scalar_subquery())
    .join(Nomination)
    .options(joinedload(Nomination.person))
    .where(Invitation.lookup == bindparam("lookup"), Nomination.round_id == OF_ROUND)
)
BALLOT = select(Ballot).where(Ballot.round_id == OF_ROUND, Ballot.handle == bindparam("handle"))
BALLOT_HELD = BALLOT.with_for_update().execution_options(populate_existing=True)
STATE_HELD = select(Round.state).where(Round.id == OF_ROUND).with_for_update(read=True)


class LinkUnknown(NotFound):
    """No open round knows this link: mistyped, cut short, or closed long ago. Which is not told."""

    message = marked(
        "This link opens nothing (any more). Either its round has closed, or the link was not "
        "copied whole: please open it once more from the mail."
    )


class RoundClosed(Refused):
    """The closing day has passed; answers can no longer be added or changed."""

    status = 410
    message = marked("The closing day has passed; answers can no longer be added or changed.")


class NotStarted(Conflict):
    """There is no draft to work on."""

    message = marked(
        "Nothing has been started here, or it was sent already. Begin from the start page."
    )


class AnswersMissing(Refused):
    """Something that is needed before sending is not there."""

    status = 422
    message = marked("Something is still missing; nothing was sent yet.")


@dataclass(frozen=True)
class Rater:
    """Who a link stands for, while the round is open."""

    link: str
    round: Round
    nomination: Nomination
    invitation: Invitation
    values: FromToken
    keys: RoundKeys = field(repr=False)
    envelope: Envelope
    questionnaire: Questionnaire
    asked_alike: int
    custody: Custody

    @property
    def relationship(self) -> str:
        """The relationship in which this rater is asked."""
        return self.nomination.relationship

    @property
    def is_self(self) -> bool:
        """Whether the leader rates themselves."""
        return self.relationship == SELF

    @property
    def may_be_identified(self) -> bool:
        """Whether the rater may choose to be shown by role: managers, and groups of one or two."""
        return not (self.is_self or self.round.pulse) and (
            self.relationship == MANAGER or self.asked_alike <= LARGEST_FOR_CHOICE
        )


@dataclass(frozen=True)
class Missing:
    """What keeps a draft from being sent."""

    items: int
    prompts: tuple[str, ...]
    choice: bool

    def __bool__(self) -> bool:
        return bool(self.items or self.prompts or self.choice)


def rater(session: Session, keyring: Keyring, link: str, now: datetime) -> Rater:
    """Return who a link stands for.

    Raises LinkUnknown, RoundClosed after the closing day, KeyringUnusable.
    """
    read = sealing.read_link(link)
    round_ = session.scalar(ROUND, {"round_id": read[0]}) if read else None
    if read is None or round_ is None or round_.state is not RoundState.OPEN:
        raise LinkUnknown
    keys = keyring.round_keys(round_.id)
    values = sealing.from_token(read[1], keys.pepper)
    wanted = {"round_id": round_.id, "lookup": values.lookup}
    found = session.execute(INVITED, wanted).one_or_none()
    if found is None:
        raise LinkUnknown
    if not round_.is_collecting(now) or round_.ballot_size is None:
        raise RoundClosed
    invitation, nomination, asked_alike = found
    return Rater(
        link=link,
        round=round_,
        nomination=nomination,
        invitation=invitation,
        values=values,
        keys=keys,
        envelope=Envelope(
            round_.id, round_.ballot_size, keyring.shared(), keys.ballot, keys.trustee
        ),
        questionnaire=questionnaires.read(round_.questionnaire),
        asked_alike=asked_alike,
        custody=custody.of_round(keyring, keys, round_),
    )


def draft(session: Session, rater: Rater) -> Draft | None:
    """Return what the rater has typed and not sent; None before the start and after sending."""
    return _draft_in(session.scalar(BALLOT, _whose(rater)), rater)


def _draft_in(ballot: Ballot | None, rater: Rater) -> Draft | None:
    if ballot is None:
        return None
    content = sealing.unlock(rater.values.draft_key, ballot.resume, rater.values.handle)
    return Draft.from_json(content) if content is not None else None


def start(session: Session, rater: Rater) -> None:
    """Begin a draft; one that is there already stays, and so do answers sent before.

    Raises RoundClosed.
    """
    _hold_round(session, rater)
    ballot = _ballot(session, rater)
    if ballot is None:
        ballot = Ballot(
            round_id=rater.round.id,
            handle=rater.values.handle,
            sealed=_sealed(rater, None),
            resume=_locked(rater, Draft()),
        )
        session.add(ballot)
    elif _draft_in(ballot, rater) is None:
        ballot.resume = _locked(rater, Draft())
    session.flush()


def save(session: Session, rater: Rater, changes: Draft) -> None:
    """Add one page's answers to the draft. Raises NotStarted, RoundClosed."""
    _hold_round(session, rater)
    ballot = _ballot(session, rater)
    before = _draft_in(ballot, rater)
    if ballot is None or before is None:
        raise NotStarted
    ballot.resume = _locked(rater, before.with_changes(changes))
    session.flush()


def missing(rater: Rater, draft: Draft) -> Missing:
    """Return what is needed before sending: half of the items, required prompts, the choice.

    A pulse needs one answer.
    """
    if questions := questionnaires.pulse_questions(rater.round):
        answered = any(question.key in draft.items for question in questions)
        return Missing(items=int(not answered), prompts=(), choice=False)
    items = rater.questionnaire.items_at(rater.round.level)
    enough = math.ceil(len(items) * FEWEST_ITEMS)
    there = sum(item.id in draft.items for item in items)
    identified = bool(draft.identified)
    prompts = rater.questionnaire.prompts_for(rater.relationship, identified=identified)
    return Missing(
        items=max(0, enough - there),
        prompts=tuple(
            prompt.id
            for prompt in prompts
            if prompt.required and not all(draft.words.get(prompt.id, ("",)))
        ),
        choice=rater.may_be_identified and draft.identified is None,
    )


def send(session: Session, rater: Rater) -> None:
    """Seal the rater's answers in place of any sent before; the draft turns into noise.

    The invitation learns only that there were some. Raises NotStarted, AnswersMissing,
    RoundClosed.
    """
    _hold_round(session, rater)
    ballot = _ballot(session, rater)
    finished = _draft_in(ballot, rater)
    if ballot is None or finished is None:
        raise NotStarted
    if missing(rater, finished):
        raise AnswersMissing
    ballot.sealed = _sealed(rater, _as_asked(rater, finished).as_answers(rater.relationship))
    ballot.resume = sealing.noise(rater.envelope.size)
    rater.invitation.answered = Answered.ANSWERED
    mails.withdraw_reminders(session, rater.invitation)
    session.flush()


def decline(session: Session, rater: Rater) -> None:
    """Withdraw whatever was typed or sent, and note that this rater would rather not.

    Raises RoundClosed.
    """
    _hold_round(session, rater)
    ballot = _ballot(session, rater)
    if ballot is not None:
        session.delete(ballot)
    rater.invitation.answered = Answered.DECLINED
    mails.withdraw_reminders(session, rater.invitation)
    session.flush()


def _hold_round(session: Session, rater: Rater) -> None:
    """Keep the round from being closed until the commit. Raises RoundClosed if it was meanwhile."""
    if session.scalar(STATE_HELD, {"round_id": rater.round.id}) is not RoundState.OPEN:
        raise RoundClosed


def _as_asked(rater: Rater, draft: Draft) -> Draft:
    """Return the draft without answers to what this rater is not asked (any more)."""
    if questions := questionnaires.pulse_questions(rater.round):
        keys = {question.key for question in questions}
        return Draft(
            items={key: answer for key, answer in draft.items.items() if key in keys},
            words={key: words for key, words in draft.words.items() if key in keys},
        )
    identified = bool(draft.identified) and rater.may_be_identified
    items = {item.id for item in rater.questionnaire.items_at(rater.round.level)}
    prompts = rater.questionnaire.prompts_for(rater.relationship, identified=identified)
    asked = {prompt.id for prompt in prompts}
    return Draft(
        items={item: answer for item, answer in draft.items.items() if item in items},
        words={prompt: words for prompt, words in draft.words.items() if prompt in asked},
        identified=identified,
    )


def _ballot(session: Session, rater: Rater) -> Ballot | None:
    """Return the ballot, held until the commit: two pages sent at once must not lose one."""
    return session.scalar(BALLOT_HELD, _whose(rater))


def _whose(rater: Rater) -> dict[str, Any]:
    return {"round_id": rater.round.id, "handle": rater.values.handle}


def _sealed(rater: Rater, answers: Answers | None) -> bytes:
    asked = questionnaires.asked_in(rater.round)
    address = rater.nomination.person.email
    serial = invitations.secret_of(rater.keys, rater.invitation, address).serial
    return rater.envelope.seal(Content(serial.hex(), rater.round.k, asked, answers))


def _locked(rater: Rater, draft: Draft) -> bytes:
    size = rater.envelope.size
    return sealing.lock(rater.values.draft_key, draft.to_json(), size, rater.values.handle)
