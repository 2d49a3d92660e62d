"""Writes mails and delivers the outbox: each mail once, as far as a mail server allows.

A mail is claimed, and the claim committed, before it is handed over; what
happens then is committed before the next one. A process that dies between two
mails loses and repeats none. One that dies during the hand-over itself cannot
know whether the server took the mail; it is then sent again under the same
Message-ID.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import UUID, uuid4

from flask import render_template
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from reports.language import language
from reports.release import TeamRelease
from survey import sealing
from survey.errors import Refused, marked
from survey.keyring import KeyringUnusable
from survey.links import approval_path, stop_path
from survey.models import Answered, Approval, Invitation, Mail, MailKind, Plan, Round, RoundState
from survey.sealing import SealBroken
from survey.services import mails, proposals, questionnaires, reminders, rounds, teams
from survey.services.invitations import NotForThisAddress, OpenLink, open_to, secret_of
from survey.services.mails import ASKING, FOR_ONE_ADDRESS
from survey.services.people import clean_address
from survey.services.sign_in import CODE, LIFETIME
from survey.site import Site
from survey.speech import speaking
from survey.transport import MailTrouble, ServerTrouble, Transport, transport

# An address in a header must stay one word: folded at 78 letters, it would be encoded, and no
# mail program would find the link to stop reminders (RFC 8058). 998 is what RFC 5322 allows.
LONG_HEADERS = EmailPolicy(max_line_length=998)
BLANK_LINES = re.compile(r"\n{3,}")

SAID_OF_PULSES = (MailKind.INVITATION, MailKind.RELEASED, MailKind.VOID)


class NoMailServer(Refused):
    """Nothing can be sent yet."""

    message = marked("No mail server is set, so all mails wait. Set PREVIEW360_MAIL_URL.")


class MailNotTaken(Refused):
    """The mail server did not take a mail that somebody waits for."""

    message = marked("The mail to %(address)s was not taken: %(reason)s")


class OwnTrouble(MailTrouble):
    """Something is wrong with one mail alone; what was to go along with it goes by itself."""


class MailImpossible(Exception):
    """A mail that can no longer be written, because what it was about is gone."""


def deliver(site: Site, session: Session, most: int = 50) -> int:
    """Send the mails that are due, at most so many; return how many were taken.

    Commits after each step. Ends early when the process is to stop, or the mail server, our
    settings for it or the keyring fail: what is left waits without losing an attempt. Without
    a mail server set, everything waits.
    """
    if not site.settings.mail_url:
        return 0
    sent = 0
    with transport(site.settings.mail_url, site.settings.mail_timeout) as carrier:
        for _ in range(most):
            if site.stopping.is_set():
                break
            mail = mails.claim(session, site.now())
            along = _claim_along(site, session, mail) if mail else []
            session.commit()
            if mail is None:
                break
            trouble = _send(site, session, mail, carrier, along)
            _note(session, mail, trouble, site.now())
            for each in along:
                if isinstance(trouble, OwnTrouble):
                    mails.let_go(session, each, site.now())
                else:
                    _note(session, each, trouble, site.now())
            sent += trouble is None
            session.commit()
            if isinstance(trouble, ServerTrouble):
                break
    return sent


def _claim_along(site: Site, session: Session, mail: Mail) -> list[Mail]:
    """Take what else waits to ask the same person: this mail has those links, too.

    An invitation takes others along answered or not: when they went stands on the page of
    deliveries, and would tell.
    """
    if mail.kind not in ASKING:
        return []
    listed = [
        each.invitation.id
        for each in _others(site, session, mail)
        if mail.kind is MailKind.INVITATION or _is_waited_for(each.invitation)
    ]
    return mails.claim_along(session, mail, listed, site.now())


def _note(session: Session, mail: Mail, trouble: MailTrouble | None, now: datetime) -> None:
    if trouble is None:
        mails.mark_sent(session, mail, now)
        return
    patient = isinstance(trouble, ServerTrouble)
    mails.mark_trouble(session, mail, str(trouble), now, final=trouble.final, patient=patient)


def _send(
    site: Site, session: Session, mail: Mail, carrier: Transport, along: Sequence[Mail]
) -> MailTrouble | None:
    """Write and hand over a mail; return why it was not taken."""
    try:
        carrier.send(compose(site, session, mail, along))
    except MailTrouble as trouble:
        return trouble
    except KeyringUnusable as error:
        return ServerTrouble(str(error))
    except MailImpossible as error:
        return OwnTrouble(str(error), final=True)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Whatever is odd about one mail must not hold up all others.
        return OwnTrouble(f"it could not be written: {type(error).__name__}", final=True)
    return None


def compose(site: Site, session: Session, mail: Mail, along: Sequence[Mail] = ()) -> EmailMessage:
    """Write a mail, as plain text and as simple HTML; its secret is opened only here.

    The mails that go `along` are not sent themselves: their links stand in this one.
    Raises MailImpossible if what it is about is gone, and KeyringUnusable.
    """
    session.refresh(mail.person)
    if mail.kind in FOR_ONE_ADDRESS and mail.address != mail.person.email:
        raise MailImpossible("the person's address has changed")
    gaps = _gaps(site, session, mail)
    if mail.kind in ASKING:
        gaps |= _asked_too(site, session, mail, along)
    message = _written(site, _template(mail), mail.language, mail.id, mail.address, gaps)
    if stop_url := gaps.get("stop_url"):
        # One click in the mail program, without opening anything (RFC 8058).
        message["List-Unsubscribe"] = f"<{stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def _template(mail: Mail) -> str:
    """Return the name of a mail's templates; of a pulse, some say other things."""
    if mail.kind in SAID_OF_PULSES and mail.round is not None and mail.round.pulse:
        return f"pulse_{mail.kind}"
    return mail.kind


def send_test(site: Site, address: str) -> None:
    """Hand a mail that says nothing to the mail server, as all others are.

    Raises AddressInvalid, NoMailServer, MailNotTaken.
    """
    clean = clean_address(address)
    settings = site.settings
    if not settings.mail_url:
        raise NoMailServer
    gaps = {"organisation": settings.organisation, "sender": settings.mail_from}
    message = _written(site, "test", settings.language, uuid4(), clean, gaps)
    try:
        with transport(settings.mail_url, settings.mail_timeout) as carrier:
            carrier.send(message)
    except MailTrouble as trouble:
        raise MailNotTaken(address=clean, reason=trouble) from trouble


def _written(
    site: Site, template: str, speech: str, number: UUID, address: str, gaps: dict[str, Any]
) -> EmailMessage:
    """Write a mail from its two templates, plain text first."""
    with speaking(speech):
        text = render_template(f"survey/mail/{template}.txt", **gaps)
        html = render_template(f"survey/mail/{template}.html", **gaps)
    subject, _, body = text.partition("\n\n")
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = site.settings.mail_from
    # Without the name: the library loses quotation marks where it folds a long one, and what
    # follows a comma in it would be a second recipient.
    message["To"] = Address(addr_spec=address)
    message["Date"] = format_datetime(site.now())
    message["Message-ID"] = f"<{number}@{_domain(site.settings.mail_from)}>"
    message["Auto-Submitted"] = "auto-generated"
    if site.settings.contact:
        message["Reply-To"] = site.settings.contact
    message.set_content(BLANK_LINES.sub("\n\n", body).strip() + "\n")
    message.add_alternative(html, subtype="html")
    # From now on it is only written out; texts keep to the short lines that they have.
    message.policy = LONG_HEADERS
    return message


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _gaps(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    shared = {
        "person": mail.person,
        "organisation": site.settings.organisation,
        "contact": site.settings.contact,
        "sign_in_url": f"{site.settings.base_url}/sign-in",
        "account_url": f"{site.settings.base_url}/account",
        "promise_url": f"{site.settings.base_url}/confidentiality",
    }
    more = GAPS.get(mail.kind)
    return shared | more(site, session, mail) if more else shared


def _asking(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    if mail.kind is MailKind.REMINDER:
        _check_needed(session, mail)
    return _invitation(site, session, mail)


def _about_round(site: Site, _session: Session, mail: Mail) -> dict[str, Any]:
    if mail.round is None:
        raise MailImpossible("its round is gone")
    return {
        "round_id": mail.round.id,
        "leader": mail.round.leader.name,
        "last_day": language(mail.language).day(site.last_day(mail.round.closes_at)),
    }


def _in_a_programme(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say what a programme wants of a leader or manager, as it stands now."""
    about = _about_round(site, session, mail)
    round_ = mail.round
    if round_ is None or round_.programme is None or not round_.is_prepared():
        raise MailImpossible("its round has opened, or left its programme")
    path = approval_path(site.keyring, round_.id, mail.address)
    return about | {
        "programme": round_.programme.name,
        "approves": round_.programme.approves,
        "first_day": language(mail.language).day(site.day_of(round_.programme.opens_at)),
        "approved": round_.approval is Approval.APPROVED,
        "manager": round_.approver.name if round_.approver else "",
        "note": round_.approval_note,
        "approve_url": f"{site.settings.base_url}/approve/{path}",
    }


def _thanks(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say what the leader writes after the preview."""
    about = _about_round(site, session, mail)
    plan = session.get(Plan, about["round_id"])
    if plan is None:
        raise MailImpossible("its plan is gone")
    return about | {"message": plan.thanks}


def _in_a_team(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say which team report a preview is part of, and with whom."""
    about = _about_round(site, session, mail)
    team = teams.of_round(session, about["round_id"])
    if team is None:
        raise MailImpossible("its team report is gone")
    leaders = TeamRelease.model_validate_json(team.document).leaders
    return about | {"team": team.name, "leaders": language(mail.language).listed(leaders)}


def _changed(site: Site, session: Session, mail: Mail) -> dict[str, Any]:
    """Say what has changed, and the link; without one the rater is asked no longer."""
    about = _about_round(site, session, mail)
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


def _code(site: Site, _session: Session, mail: Mail) -> dict[str, Any]:
    if mail.sealed is None:
        raise MailImpossible("its code is gone")
    try:
        code = sealing.unseal(site.keyring.mail_pair().private, mail.sealed, CODE).decode()
    except SealBroken:
        raise MailImpossible("its code was sealed with another key") from None
    return {"code": code, "lifetime": int(LIFETIME.total_seconds() // 60)}


def _check_needed(session: Session, mail: Mail) -> None:
    """Raise MailImpossible for a reminder whose rater has answered or wants none (any more)."""
    invitation = mail.invitation
    if invitation is not None:
        session.refresh(invitation)
        if not _is_waited_for(invitation):
            raise MailImpossible("it is no longer needed")


def _others(site: Site, session: Session, mail: Mail) -> list[OpenLink]:
    """Return what else is open to a mail's person."""
    found = open_to(session, site.keyring, mail.person, site.now())
    return [each for each in found if each.invitation.id != mail.invitation_id]


def _is_waited_for(invitation: Invitation) -> bool:
    """Say whether a rater has not answered, and may be reminded."""
    return invitation.answered is Answered.NOT_YET and not invitation.undisturbed


def _asked_too(site: Site, session: Session, mail: Mail, along: Sequence[Mail]) -> dict[str, Any]:
    """Say what goes along, what else is waited for, and where reminders can be stopped."""
    taken = {each.invitation_id for each in along}
    speech = language(mail.language)
    base_url = site.settings.base_url
    return {
        "others": [
            {
                "leader": "" if each.relationship == SELF else each.round.leader.name,
                "last_day": speech.day(site.last_day(each.round.closes_at)),
                "link": f"{base_url}/r/{each.path}",
            }
            for each in _others(site, session, mail)
            if each.invitation.id in taken or _is_waited_for(each.invitation)
        ],
        "stop_url": f"{base_url}/no-reminders/{stop_path(site.keyring, mail.invitation_id)}",
        "most_reminders": reminders.MOST,
    }


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
    texts = questionnaires.read(round_.questionnaire).texts[round_.language]
    return {
        "leader": round_.leader.name,
        "intro": texts.pulse.introduced(round_.leader.name),
        "message": round_.message,
        "is_self": relationship == SELF,
        "relationship": texts.relationships[relationship].one,
        "asked": rounds.asked(session, round_)[relationship],
        "minutes": questionnaires.minutes(round_, relationship),
        "last_day": language(mail.language).day(site.last_day(round_.closes_at)),
        "k": round_.k,
        "link": f"{site.settings.base_url}/r/{sealing.link_path(round_.id, token)}",
    }


# What a mail's templates need besides what all of them do.
GAPS: dict[MailKind, Callable[[Site, Session, Mail], dict[str, Any]]] = {
    MailKind.INVITATION: _asking,
    MailKind.REMINDER: _asking,
    MailKind.SIGN_IN: _code,
    MailKind.TRUSTEE_NEEDED: _about_round,
    MailKind.CHANGE_PROPOSED: _about_round,
    MailKind.COACH_FIRST: _about_round,
    MailKind.PROGRAMME: _in_a_programme,
    MailKind.APPROVAL_ASKED: _in_a_programme,
    MailKind.APPROVAL_DECIDED: _in_a_programme,
    MailKind.TEAM_REPORT: _in_a_team,
    MailKind.THANKS: _thanks,
    MailKind.ROUND_CHANGED: _changed,
}
