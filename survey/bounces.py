"""Bounces: mails from mail servers that say which of ours could not be delivered (RFC 3464)."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.policy import default
from typing import cast
from uuid import UUID

from reports.text import clean_line

LONGEST_REASON = 300


@dataclass(frozen=True)
class Bounce:
    """One of our mails, by its id, and why it was not delivered."""

    mail_id: UUID
    reason: str


def read(content: bytes) -> Bounce | None:
    """Return what a mail says of one of ours; None if it is no report of a failed delivery."""
    try:
        return _read(content)
    except Exception:
        # The library trips over some headers; a mail server would send the report back to us.
        return None


def _read(content: bytes) -> Bounce | None:
    mail = message_from_bytes(content, policy=default)
    mail_id = _original(mail)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in cast("list[Message]", part.get_payload()):
            if mail_id and str(fields.get("Action", "")).strip().lower() == "failed":
                return Bounce(mail_id, _reason(fields))
    return None


def _reason(fields: Message) -> str:
    # As in "smtp; 550 5.1.1 unknown": the part before the semicolon says whose words these are.
    said = str(fields.get("Diagnostic-Code", "")).rpartition(";")[2]
    return clean_line(f"{fields.get('Status', '')} {said}")[:LONGEST_REASON].strip()


def _original(mail: EmailMessage) -> UUID | None:
    """Return the id of the mail that a report returns, whole or by its headers."""
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822":
            [returned] = cast("list[Message]", part.get_payload())
        elif part.get_content_type() == "text/rfc822-headers":
            returned = message_from_string(str(part.get_payload()), policy=default)
        else:
            continue
        try:
            return UUID(str(returned.get("Message-ID", "")).strip(" <>").partition("@")[0])
        except ValueError:
            continue
    return None
