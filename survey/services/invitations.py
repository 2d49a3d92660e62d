"""Invitations: one link a rater, and the mails that carry it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import sealing
from survey.errors import Conflict, NotFound, marked
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


class NotForThisAddress(Conflict):
    """An invitation that was made for another address than its person has."""

    message = marked(
        "This invitation was made for another address. Whoever runs this server can see whether "
        "somebody has changed it."
    )


@dataclass(frozen=True)
class Secret:
    """What an invitation keeps sealed: the link's token, and the rater's number in the round.

    The number stays when the link is renewed, so that no rater's ballot counts twice.
    """

    token: bytes = field(repr=False)
    serial: bytes = field(repr=False)


def invite(session: Session, nomination: Nomination, keys: RoundKeys, now: datetime) -> None:
    """Make a rater's link and queue the mail with it; the link itself is stored nowhere."""
    secret = Secret(sealing.new_token(), sealing.new_serial())
    invitation = Invitation(
        nomination_id=nomination.id,
        lookup=sealing.from_token(secret.token, keys.pepper).lookup,
        sealed_token=_sealed(keys, secret, nomination.person.email),
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
    audit.record(session, actor, marked("invitation sent again"), person, now)


@dataclass(frozen=True)
class OpenLink:
    """One round in which somebody may answer now, and their link to it."""

    invitation: Invitation
    path: str = field(repr=False)

    @property
    def round(self) -> Round:
        """The round that is open."""
        return self.invitation.nomination.round

    @property
    def relationship(self) -> str:
        """The relationship in which the person is asked there."""
        return self.invitation.nomination.relationship


def open_to(session: Session, keyring: Keyring, person: Person, now: datetime) -> list[OpenLink]:
    """Return the rounds in which a person may answer now, the earliest closing day first.

    One whose link cannot be had is left out: it must not keep anybody from the others.
    """
    query = (
        select(Invitation)
        .join(Nomination)
        .join(Round)
        .where(
            Nomination.person_id == person.id,
            Round.state == RoundState.OPEN,
            Round.closes_at > now,
        )
        .order_by(Round.closes_at, Round.id)
    )
    found = []
    for invitation in session.scalars(query):
        round_ = invitation.nomination.round
        try:
            secret = secret_of(keyring.round_keys(round_.id), invitation, person.email)
        except (NotForThisAddress, KeyringUnusable):
            continue
        found.append(OpenLink(invitation, sealing.link_path(round_.id, secret.token)))
    return found


def renew(session: Session, keyring: Keyring, person: Person, before: str, now: datetime) -> None:
    """Give a person new links to their open rounds, and mail them; the old ones open nothing.

    `before` is the address that the old links went to. Answers that were sent stay. A draft is
    gone: only the old link opened it. Raises KeyringUnusable, NotForThisAddress.
    """
    query = select(Invitation).join(Nomination).where(Nomination.person_id == person.id)
    for invitation in session.scalars(query).all():
        round_id = invitation.nomination.round_id
        # Held until the commit, so that nobody closes it meanwhile.
        round_ = session.get_one(Round, round_id, with_for_update=True, populate_existing=True)
        if round_.state is not RoundState.OPEN:
            continue
        keys = keyring.round_keys(round_.id)
        secret = secret_of(keys, invitation, before)
        renewed = replace(secret, token=sealing.new_token())
        old = sealing.from_token(secret.token, keys.pepper)
        new = sealing.from_token(renewed.token, keys.pepper)
        _move_ballot(session, round_, invitation, old.handle, new.handle)
        invitation.lookup = new.lookup
        invitation.sealed_token = _sealed(keys, renewed, person.email)
        session.flush()
        mails.queue_invitation(session, invitation, now, again=True)


def secret_of(keys: RoundKeys, invitation: Invitation, address: str) -> Secret:
    """Return what an invitation to this address keeps sealed.

    Raises NotForThisAddress where it was made for another one: somebody has changed the
    address in the database, and must not get the link.
    """
    try:
        secret = sealing.unseal(keys.mail.private, invitation.sealed_token, _purpose(address))
    except SealBroken:
        raise NotForThisAddress from None
    return Secret(secret[: sealing.TOKEN_BYTES], secret[sealing.TOKEN_BYTES :])


def _sealed(keys: RoundKeys, secret: Secret, address: str) -> bytes:
    return sealing.seal(keys.mail.public, secret.token + secret.serial, _purpose(address))


def _purpose(address: str) -> str:
    return f"{TOKEN} {address}"


def _move_ballot(
    session: Session, round_: Round, invitation: Invitation, old: bytes, new: bytes
) -> None:
    ballot = session.get(Ballot, (round_.id, old), with_for_update=True)
    if ballot is None:
        return
    # Whoever held the ballot may have sent it meanwhile.
    session.refresh(invitation)
    session.delete(ballot)
    if invitation.answered is Answered.ANSWERED and round_.ballot_size is not None:
        noise = sealing.noise(round_.ballot_size)
        session.add(Ballot(round_id=round_.id, handle=new, sealed=ballot.sealed, resume=noise))
