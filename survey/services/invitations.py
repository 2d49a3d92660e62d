"""Invitations: one link a rater, and the mails that carry it."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import sealing
from survey.errors import NotFound, marked
from survey.keyring import RoundKeys
from survey.models import Invitation, MailKind, Nomination, Person, Round
from survey.services import audit, mails

TOKEN = "token"  # noqa: S105 - what a seal is for, no secret


def invite(
    session: Session, round_: Round, nomination: Nomination, keys: RoundKeys, now: datetime
) -> None:
    """Make a rater's link and queue the mail with it; the link itself is stored nowhere."""
    token = sealing.new_token()
    invitation = Invitation(
        nomination_id=nomination.id,
        lookup=sealing.from_token(token, keys.pepper).lookup,
        sealed_token=sealing.seal(keys.mail.public, token, TOKEN),
    )
    session.add(invitation)
    session.flush()
    person = session.get_one(Person, nomination.person_id)
    _queue(session, round_, invitation, person, f"invitation:{invitation.id}", now)


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
    _queue(session, round_, invitation, person, f"invitation:{invitation.id}:{uuid4()}", now)
    audit.record(session, actor, marked("invitation sent again"), person.email, now)


def _queue(
    session: Session,
    round_: Round,
    invitation: Invitation,
    person: Person,
    key: str,
    now: datetime,
) -> None:
    mails.queue(
        session,
        MailKind.INVITATION,
        key,
        person,
        round_.language,
        now,
        round_=round_,
        invitation=invitation,
    )
