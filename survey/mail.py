"""Writes mails and delivers the outbox: each mail once, as far as a mail server allows.

A mail is claimed, and the claim committed, before it is handed over; what
happens then is committed before the next one. A process that dies between two
mails loses and repeats none. One that dies during the hand-over itself cannot
know whether the server took the mail; it is then sent again under the same
Message-ID.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

from flask import render_template
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from reports.language import language
from reports.release import TeamRelease
from survey import sealing
from survey.keyring import KeyringUnusable
from survey.models import Mail, MailKind, Round, RoundState
from survey.sealing import SealBroken
from survey.services import mails, proposals, questionnaires, rounds, teams
from survey.services.invitations import NotForThisAddress, secret_of
from survey.services.sign_in import CODE, LIFETIME
from survey.site import Site
from survey.speech import speaking
from survey.transport import MailTrouble, ServerTrouble, Transport, transport

BLANK_LINES = re.compile(r"\n{3,}")
# What these hold must reach nobody but whoever has the person's address now.
FOR_ONE_ADDRESS = (MailKind.INVITATION, MailKind.ROUND_CHANGED, MailKind.SIGN_IN)


class MailImpossible(Exception):
    """A mail that can no longer be written, because what it was about is gone."""


def deliver(site: Site, session: Session, most: int = 50) -> int:
    """Send the mails that are due, at most so many; return how many were taken.

    Commits after each step. Ends early when the mail server, our settings for it or the
    keyring fail: what is left waits without losing an attempt. Without a mail server set,
    everything waits.
    """
    if not site.settings.mail_url:
        return 0
    sent = 0
    with transport(site.settings.mail_url, site.settings.mail_timeout) as carrier:
        for _ in range(most):
            mail = mails.claim(session, site.now())
            session.commit()
            if mail is None:
                break
            trouble = _send(site, session, mail, carrier)
            if trouble is None:
                mails.mark_sent(session, mail, site.now())
                sent += 1
            else:
                mails.mark_trouble(
                    session,
                    mail,
                    str(trouble),
                    site.now(),
                    final=trouble.final,
                    patient=isinstance(trouble, ServerTrouble),
                )
            session.commit()
            if isinstance(trouble, ServerTrouble):
                break
    return sent


def _send(site: Site, session: Session, mail: Mail, carrier: Transport) -> MailTrouble | None:
    """Write and hand over a mail; return why it was not taken."""
    try:
        carrier.send(compose(site, session, mail))
    except MailTrouble as trouble:
        return trouble
    except KeyringUnusable as error:
        return ServerTrouble(str(error))
    except MailImpossible as error:
        return MailTrouble(str(error), final=True)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Whatever is odd about one mail must not hold up all others.
        return MailTrouble(f"it could not be written: {type(error).__name__}", final=True)
    return None


def compose(site: Site, session: Session, mail: Mail) -> EmailMessage:
    """Write a mail, as plain text and as simple HTML; its secret is opened only here.

    Raises MailImpossible if what it is about is gone, and KeyringUnusable.
    """
    session.refresh(mail.person)
    if mail.kind in FOR_ONE_ADDRESS and mail.address != mail.person.email:
        raise MailImpossible("the person's address has changed")
    gaps = _gaps(site, session, mail)
    with speaking(mail.language):
        text = render_template(f"survey/mail/{mail.kind}.txt", **gaps)
        html = render_template(f"survey/mail/{mail.kind}.html", **gaps)
    subject, _, body = text.partition("\n\n")
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = site.settings.mail_from
    # Without the name: the library loses quotation marks where it folds a long one, and what
    # follows a comma in it would be a second recipient.
    message["To"] = Address(addr_spec=mail.address)
    message["Date"] = format_datetime(site.now())
    message["Message-ID"] = f"<{mail.id}@{_domain(site.settings.mail_from)}>"
    message["Auto-Submitted"] = "auto-generated"
    if site.settings.contact:
        message["Reply-To"] = site.settings.contact
    message.set_content(BLANK_LINES.sub("\n\n", body).strip() + "\n")
    message.add_alternative(html, subtype="html")
    return message


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _gaps(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    shared = {
        "person": mail.person,
        "organisation": site.settings.organisation,
        "contact": site.settings.contact,
        "sign_in_url": f"{site.settings.base_url}/sign-in",
    }
    if mail.kind is MailKind.INVITATION:
        return shared | _invitation(site, session, mail)
    if mail.kind is MailKind.SIGN_IN:
        return shared | _code(site, mail)
    if mail.kind in (MailKind.TRUSTEE_NEEDED, MailKind.CHANGE_PROPOSED):
        return shared | _about_round(site, mail)
    if mail.kind is MailKind.TEAM_REPORT:
        return shared | _in_a_team(site, session, mail)
    if mail.kind is MailKind.ROUND_CHANGED:
        return shared | _changed(site, session, mail)
    return shared


def _about_round(site: Site, mail: Mail) -> dict[str, Any]:
    if mail.round is None:
        raise MailImpossible("its round is gone")
    return {
        "round_id": mail.round.id,
        "leader": mail.round.leader.name,
        "last_day": language(mail.language).day(site.last_day(mail.round.closes_at)),
    }


def _in_a_team(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say which team report a preview is part of, and with whom."""
    about = _about_round(site, mail)
    team = teams.of_round(session, about["round_id"])
    if team is None:
        raise MailImpossible("its team report is gone")
    leaders = TeamRelease.model_validate_json(team.document).leaders
    return about | {"team": team.name, "leaders": language(mail.language).listed(leaders)}


def _changed(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say what has changed, and the link; without one the rater is asked no longer."""
    about = _about_round(site, mail)
    if mail.round is None or mail.round.state is not RoundState.OPEN:
        raise MailImpossible("its round has closed")
    if mail.invitation is None:
        return about | {"link": ""}
    return about | {
        "link": _invitation(site, session, mail)["link"],
        "changes": proposals.approved(session, mail.round),
        "texts": questionnaires.read(mail.round.questionnaire).texts[mail.round.language],
        "zone_day": site.last_day,
    }


def _code(site: Site, mail: Mail) -> dict[str, Any]:
    if mail.sealed is None:
        raise MailImpossible("its code is gone")
    try:
        code = sealing.unseal(site.keyring.mail_pair().private, mail.sealed, CODE).decode()
    except SealBroken:
        raise MailImpossible("its code was sealed with another key") from None
    return {"code": code, "lifetime": int(LIFETIME.total_seconds() // 60)}


def _invitation(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    invitation = mail.invitation
    if invitation is None:
        raise MailImpossible("its round has closed")
    round_: Round = invitation.nomination.round
    relationship = invitation.nomination.relationship
    keys = site.keyring.round_keys(round_.id)
    try:
        token = secret_of(keys, invitation, mail.address).token
    except NotForThisAddress:
        raise MailImpossible("its link was made for another address") from None
    questionnaire = questionnaires.read(round_.questionnaire)
    texts = questionnaire.texts[round_.language]
    return {
        "leader": round_.leader.name,
        "message": round_.message,
        "is_self": relationship == SELF,
        "relationship": texts.relationships[relationship].one,
        "asked": rounds.asked(session, round_)[relationship],
        "minutes": questionnaire.minutes(round_.level, relationship),
        "last_day": language(mail.language).day(site.last_day(round_.closes_at)),
        "k": round_.k,
        "link": f"{site.settings.base_url}/r/{sealing.link_path(round_.id, token)}",
    }
