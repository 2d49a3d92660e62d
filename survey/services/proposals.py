"""Proposals: what a leader may change in an open round only together with a second person.

An earlier closing day or another roster could be used to single somebody out,
so an administrator who is not the leader must agree, and every rater is told.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from survey import sealing
from survey.errors import Conflict, NotFound, Refused, marked
from survey.keyring import Keyring
from survey.models import (
    Ballot,
    Invitation,
    MailKind,
    Nomination,
    Person,
    Proposal,
    ProposalKind,
    ProposalState,
    Round,
    RoundState,
)
from survey.services import audit, invitations, mails, nominations, people, rounds
from survey.services.nominations import Named
from survey.services.rounds import RoundNotOpen

DECIDED = {
    ProposalState.APPROVED: marked("change of a round approved"),
    ProposalState.REFUSED: marked("change of a round refused"),
    ProposalState.WITHDRAWN: marked("proposal withdrawn"),
}


class NobodyToAgree(Refused):
    """There is no administrator besides the leader."""

    status = 422
    message = marked(
        "Somebody else has to agree, and there is no administrator besides you. Ask whoever runs "
        "this server to name one."
    )


class SecondPersonNeeded(Refused):
    """Somebody tried to agree to their own proposal, or to a change of their own round."""

    status = 403
    message = marked("Somebody else has to agree: an administrator who is not the leader.")


class Decided(Conflict):
    """The proposal was approved, refused or withdrawn before."""

    message = marked("This proposal is no longer waiting.")


class NotEarlier(Refused):
    """A day that is no earlier, or so near that nobody could still answer."""

    status = 422
    message = marked(
        "The new closing day must be earlier than the present one, and at least one day from now."
    )


class NotEnough(Refused):
    """A group would be cut off before it has enough answers."""

    status = 422
    message = marked("Not every group has enough answers yet; the round cannot close earlier.")


class NotAsked(Refused):
    """Somebody who is not asked in this round."""

    status = 422
    message = marked("This person is not asked in this round.")


def propose_earlier(
    session: Session, round_: Round, closes_at: datetime, now: datetime, actor: Person
) -> Proposal:
    """Propose an earlier closing day.

    Raises RoundNotOpen, NobodyToAgree, NotEarlier, NotEnough.
    """
    _check_earlier(round_, closes_at, now, rounds.asked(session, round_))
    proposal = Proposal(kind=ProposalKind.CLOSE_EARLIER, closes_at=closes_at)
    return _propose(session, round_, proposal, now, actor)


def propose_one_more(
    session: Session,
    round_: Round,
    named: Named,
    now: datetime,
    actor: Person,
    rounds_a_person: int = 0,
) -> Proposal:
    """Propose to ask one more person.

    Raises RoundNotOpen, NobodyToAgree, NamesInvalid, AskedTooOften as `rounds.open_round`.
    """
    asked = [
        Named(0, each.person.name, each.person.email, each.relationship)
        for each in round_.nominations
        if each.relationship != SELF
    ]
    clean = nominations.checked(round_, [*asked, named])[-1]
    person = people.by_address(session, clean.email)
    if person is None:
        person = people.add(session, clean.name, clean.email, (), now, actor)
    rounds.check_how_often(session, [person.id], now, rounds_a_person)
    proposal = Proposal(
        kind=ProposalKind.ASK_ONE_MORE, person_id=person.id, relationship=clean.relationship
    )
    return _propose(session, round_, proposal, now, actor)


def propose_one_less(
    session: Session, round_: Round, person_id: UUID, now: datetime, actor: Person
) -> Proposal:
    """Propose to ask somebody no longer.

    Raises RoundNotOpen, NobodyToAgree, NotAsked, RatersMissing.
    """
    nomination = _nomination(session, round_, person_id)
    proposal = Proposal(
        kind=ProposalKind.ASK_ONE_LESS, person_id=person_id, relationship=nomination.relationship
    )
    return _propose(session, round_, proposal, now, actor)


def _propose(
    session: Session, round_: Round, proposal: Proposal, now: datetime, actor: Person
) -> Proposal:
    if not round_.is_collecting(now):
        raise RoundNotOpen
    others = _who_may_agree(session, round_, actor.id)
    if not others:
        raise NobodyToAgree
    proposal.round_id, proposal.proposer_id = round_.id, actor.id
    session.add(proposal)
    session.flush()
    for person in others:
        key = f"proposal:{proposal.id}:{person.id}"
        mails.queue(
            session, MailKind.CHANGE_PROPOSED, key, person, round_.language, now, round_=round_
        )
    audit.record(session, actor, marked("change of a round proposed"), round_, now)
    return proposal


def _who_may_agree(session: Session, round_: Round, proposer_id: UUID) -> list[Person]:
    query = select(Person).where(
        Person.administers, Person.active, Person.id.not_in([round_.leader_id, proposer_id])
    )
    return list(session.scalars(query))


def approve(
    session: Session, keyring: Keyring, proposal: Proposal, now: datetime, actor: Person
) -> None:
    """Agree to a proposal as the second person, do it, and tell every rater.

    Raises SecondPersonNeeded, Decided, RoundNotOpen, KeyringUnusable, and whatever stands
    against the change by now.
    """
    round_ = proposal.round
    _decide(session, proposal, ProposalState.APPROVED, now, actor)
    if not round_.is_collecting(now):
        raise RoundNotOpen
    if proposal.kind is ProposalKind.CLOSE_EARLIER:
        _close_earlier(session, proposal, now)
    elif proposal.kind is ProposalKind.ASK_ONE_MORE:
        _ask_one_more(session, keyring, proposal, now)
    else:
        _ask_one_less(session, keyring, proposal, now)
    _tell_raters(session, proposal, now)


def refuse(session: Session, proposal: Proposal, now: datetime, actor: Person) -> None:
    """Refuse a proposal as the second person. Raises SecondPersonNeeded, Decided, RoundNotOpen."""
    _decide(session, proposal, ProposalState.REFUSED, now, actor)


def withdraw(session: Session, proposal: Proposal, now: datetime, actor: Person) -> None:
    """Take a proposal of one's own back. Raises Decided, RoundNotOpen."""
    if actor.id != proposal.proposer_id:
        raise NotFound
    _decide(session, proposal, ProposalState.WITHDRAWN, now, actor)


def _decide(
    session: Session, proposal: Proposal, state: ProposalState, now: datetime, actor: Person
) -> None:
    own = actor.id in (proposal.proposer_id, proposal.round.leader_id)
    if state is not ProposalState.WITHDRAWN and (own or not actor.administers):
        raise SecondPersonNeeded
    rounds.hold(session, proposal.round)
    decided = session.execute(
        update(Proposal)
        .where(Proposal.id == proposal.id, Proposal.state == ProposalState.WAITING)
        .values(state=state, decider_id=actor.id, decided_on=now.date())
        .returning(Proposal.id)
        .execution_options(synchronize_session=False)
    )
    if decided.scalar_one_or_none() is None:
        raise Decided
    session.refresh(proposal)
    audit.record(session, actor, DECIDED[state], proposal.round, now)


def _check_earlier(
    round_: Round, closes_at: datetime, now: datetime, asked: dict[str, int]
) -> None:
    if not now + rounds.SHORTEST <= closes_at < round_.closes_at:
        raise NotEarlier
    enough = rounds.enough(round_)
    alone = [name for name, n in asked.items() if name != SELF and n >= round_.k]
    if not enough.together or not all(enough.groups.get(name) for name in alone):
        raise NotEnough


def _close_earlier(session: Session, proposal: Proposal, now: datetime) -> None:
    round_, closes_at = proposal.round, proposal.closes_at
    if closes_at is None:
        raise NotEarlier
    _check_earlier(round_, closes_at, now, rounds.asked(session, round_))
    round_.closes_at = closes_at
    session.flush()


def _ask_one_more(session: Session, keyring: Keyring, proposal: Proposal, now: datetime) -> None:
    nomination = Nomination(
        round_id=proposal.round_id,
        person_id=proposal.person_id,
        relationship=proposal.relationship,
    )
    asked = select(Nomination.id).where(
        Nomination.round_id == proposal.round_id, Nomination.person_id == proposal.person_id
    )
    if session.scalar(asked) is not None:
        raise Decided
    session.add(nomination)
    session.flush()
    session.expire(proposal.round, ["nominations"])
    invitations.invite(session, nomination, keyring.round_keys(proposal.round_id), now)


def _ask_one_less(session: Session, keyring: Keyring, proposal: Proposal, now: datetime) -> None:
    round_, person = proposal.round, proposal.person
    if person is None:
        raise NotAsked
    nomination = _nomination(session, round_, person.id)
    query = select(Invitation).where(Invitation.nomination_id == nomination.id)
    invitation = session.scalars(query).one()
    keys = keyring.round_keys(round_.id)
    secret = invitations.secret_of(keys, invitation, person.email)
    handle = sealing.from_token(secret.token, keys.pepper).handle
    session.execute(delete(Ballot).where(Ballot.round_id == round_.id, Ballot.handle == handle))
    mails.withdraw(session, round_, invitation)
    session.delete(invitation)
    session.delete(nomination)
    session.flush()
    session.expire(round_, ["nominations"])
    key = f"round_changed:{proposal.id}:{uuid4()}"
    mails.queue(session, MailKind.ROUND_CHANGED, key, person, round_.language, now, round_=round_)


def _nomination(session: Session, round_: Round, person_id: UUID) -> Nomination:
    """Return a rater's nomination, if enough would be left. Raises NotAsked, RatersMissing."""
    raters = select(Nomination).where(
        Nomination.round_id == round_.id, Nomination.relationship != SELF
    )
    asked = {each.person_id: each for each in session.scalars(raters)}
    if person_id not in asked:
        raise NotAsked
    if len(asked) <= round_.k:
        raise rounds.RatersMissing(k=round_.k)
    return asked[person_id]


def _tell_raters(session: Session, proposal: Proposal, now: datetime) -> None:
    """Tell every rater, whether they answered or not: whom one tells must not say who did."""
    query = (
        select(Invitation)
        .join(Nomination)
        .where(Nomination.round_id == proposal.round_id, Nomination.relationship != SELF)
    )
    for invitation in session.scalars(query):
        if proposal.kind is ProposalKind.ASK_ONE_MORE and (
            invitation.nomination.person_id == proposal.person_id
        ):
            continue
        mails.queue(
            session,
            MailKind.ROUND_CHANGED,
            f"round_changed:{proposal.id}:{invitation.id}",
            invitation.nomination.person,
            proposal.round.language,
            now,
            round_=proposal.round,
            invitation=invitation,
        )


def find(session: Session, proposal_id: UUID) -> Proposal:
    """Return a proposal. Raises NotFound."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None:
        raise NotFound
    return proposal


def waiting(session: Session, now: datetime, round_: Round | None = None) -> list[Proposal]:
    """Return what waits for a second person, of one round or of all."""
    query = (
        select(Proposal)
        .join(Round, Round.id == Proposal.round_id)
        .where(
            Proposal.state == ProposalState.WAITING,
            Round.state == RoundState.OPEN,
            Round.closes_at > now,
        )
        .order_by(Round.closes_at, Proposal.id)
    )
    if round_ is not None:
        query = query.where(Proposal.round_id == round_.id)
    return list(session.scalars(query))


def approved(session: Session, round_: Round) -> list[Proposal]:
    """Return what has changed in a round since its invitations were sent, in that order."""
    query = (
        select(Proposal)
        .where(Proposal.round_id == round_.id, Proposal.state == ProposalState.APPROVED)
        .order_by(Proposal.decided_on, Proposal.id)
    )
    return list(session.scalars(query))
