"""Reports of mail servers are understood as they come, and anything else is left alone."""

from textwrap import dedent
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from survey import bounces
from survey.bounces import Bounce
from survey.models import Mail, MailState
from survey.services import mails
from tests import factories

OURS = UUID("8b2f4d7e-2f0e-4b49-9a51-0c6f7a3d1e55")
# Written by hand after RFC 3464: the parts and fields that mail servers send.
WHOLE = f"""\
    From: MAILER-DAEMON@mail.example.org
    To: feedback@example.org
    Subject: Undelivered Mail Returned to Sender
    Content-Type: multipart/report; report-type=delivery-status; boundary="b"
    MIME-Version: 1.0

    --b
    Content-Type: text/plain

    The mail could not be delivered.
    --b
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mail.example.org

    Final-Recipient: rfc822; gone@example.org
    Action: failed
    Status: 5.1.1
    Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

    --b
    Content-Type: message/rfc822

    From: feedback@example.org
    To: gone@example.org
    Subject: Robin asks for your view
    Message-ID: <{OURS}@example.org>

    Hello.
    --b--
"""
HEADERS_ONLY = WHOLE.replace("message/rfc822", "text/rfc822-headers").replace("\n    Hello.\n", "")
DELAYED = WHOLE.replace("Action: failed", "Action: delayed").replace("5.1.1", "4.4.1")
CUT_OFF = WHOLE[:300]
EMPTY_ID = WHOLE.replace(f"<{OURS}@example.org>", "<>")
RELAYED = WHOLE.replace(str(OURS), "CAF123")
FOLDED = WHOLE.replace("550 5.1.1 no", "550 5.1.1\n      no")


def read(text: str) -> Bounce | None:
    return bounces.read(dedent(text).replace("\n", "\r\n").encode())


@pytest.mark.parametrize("text", [WHOLE, HEADERS_ONLY, FOLDED], ids=["whole", "headers", "folded"])
def test_a_failed_delivery_names_the_mail_and_the_reason(text):
    assert read(text) == Bounce(OURS, "5.1.1 550 5.1.1 no such mailbox")


@pytest.mark.parametrize(
    "text",
    [
        DELAYED,
        RELAYED,
        "Subject: Out of office\n\nBack on Monday.",
        "",
        "\0\xff",
        WHOLE[:300],
        EMPTY_ID,
    ],
    ids=["only delayed", "not ours", "an absence", "nothing", "noise", "cut off", "no id"],
)
def test_anything_else_is_left_alone(text):
    assert read(text) is None


def test_a_mail_that_came_back_has_failed_and_can_be_sent_to_another_address(session, keyring):
    round_ = factories.opened(session, keyring)
    mail = session.scalars(select(Mail).where(Mail.address == "peer0@example.org")).one()
    mails.mark_sent(session, mail, round_.opens_at)
    assert mails.mark_bounced(session, mail.id, "5.1.1 no such mailbox") is mail

    assert (mail.state, mail.trouble) == (MailState.FAILED, "bounced: 5.1.1 no such mailbox")
    assert mails.in_trouble(session, round_) == 1
    assert mails.latest(session)[0] is mail


def test_only_a_mail_that_was_sent_from_here_can_come_back(session, keyring):
    factories.opened(session, keyring)
    waiting = session.scalars(select(Mail)).first()

    assert mails.mark_bounced(session, uuid4(), "5.1.1") is None
    assert mails.mark_bounced(session, waiting.id, "5.1.1") is None
    assert waiting.state is MailState.WAITING
