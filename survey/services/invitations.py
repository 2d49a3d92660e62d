"""Invitations: one link a rater, and the mails that carry it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import sealing
from survey.errors import NotFound, marked
from survey.keyring import Keyring, KeyringUnusable, RoundKeys
from survey.models import (
    Answered,
    Ballot,
    Invitation,
    Nomination,
    Person,
    Round,
    RoundState,
)
from survey.sealing import SealBroken
from survey.services import audit, mails

TOKEN = "token"  # noqa: S105 - what a seal is for, no secret


def invite(session: Session, nomination: Nomination, keys: RoundKeys, now: datetime) -> None:
    """Make a rater's link and queue the mail with it; the link itself is stored nowhere."""
    token = sealing.new_token()
    invitation = Invitation(
        nomination_id=nomination.id,
        lookup=sealing.from_token(token, keys.pepper).lookup,
        sealed_token=sealing.seal(keys.mail.public, token, TOKEN),
    )
    session.add(invitation)
    session.flush()
    mails.queue_invitation(session, invitation, now)


def send_again(
    session: Session, round_: Round, person: Person, now: datetime, actor: Person | None = None
) -> None:
    """Queue one more mail with the same link, for a rater who lost the first.

    Raises NotFound if that person is not asked in the round.
    """
    query = (
        select(Invitation)
        .join(Nomination)
        .where(Nomination.round_id == round_.id, Nomination.person_id == person.id)
    )
    invitation = session.scalar(query)
    if invitation is None:
        raise NotFound
    mails.queue_invitation(session, invitation, now, again=True)
    audit.record(session, actor, marked("invitation sent again"), person.email, now)


def renew(session: Session, keyring: Keyring, person: Person, now: datetime) -> None:
    """Give a person new links to their open rounds, and mail them; the old ones open nothing.

    Answers that were sent stay. A draft is gone: only the old link opened it.
    Raises KeyringUnusable.
    """
    query = select(Invitation).join(Nomination).where(Nomination.person_id == person.id)
    for invitation in session.scalars(query).all():
        token, round_id = sealing.new_token(), invitation.nomination.round_id
        # Held until the commit, so that nobody closes it meanwhile.
        round_ = session.get_one(Round, round_id, with_for_update=True, populate_existing=True)
        if round_.state is not RoundState.OPEN:
            continue
        keys = keyring.round_keys(round_.id)
        old = sealing.from_token(token_of(keyring, round_, invitation), keys.pepper)
        new = sealing.from_token(token, keys.pepper)
        _move_ballot(session, round_, invitation, old.handle, new.handle)
        invitation.lookup = new.lookup
        invitation.sealed_token = sealing.seal(keys.mail.public, token, TOKEN)
        session.flush()
        mails.queue_invitation(session, invitation, now, again=True)


def token_of(keyring: Keyring, round_: Round, invitation: Invitation) -> bytes:
    """Return the token in a rater's link. Raises KeyringUnusable."""
    try:
        return sealing.unseal(
            keyring.round_keys(round_.id).mail.private, invitation.sealed_token, TOKEN
        )
    except SealBroken:
        raise KeyringUnusable(reason=f"round {round_.id} was sealed with another key") from None


def _move_ballot(
    session: Session, round_: Round, invitation: Invitation, old: bytes, new: bytes
) -> None:
    ballot = session.get(Ballot, (round_.id, old), with_for_update=True)
    if ballot is None:
        return
    session.delete(ballot)
    if invitation.answered is Answered.ANSWERED and round_.ballot_size is not None:
        noise = sealing.noise(round_.ballot_size)
        session.add(Ballot(round_id=round_.id, handle=new, sealed=ballot.sealed, resume=noise))
