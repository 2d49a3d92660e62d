"""Every mail is sent once, to one person, and what goes wrong is seen."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from survey import db, jobs
from survey.config import Settings
from survey.demo.catcher import Catcher, plain_text
from survey.mail import compose, deliver
from survey.models import Invitation, Mail, MailKind, MailState, Person
from survey.services import ballots, closing, mails, people, reminders, rounds, sign_in
from survey.services.mails import LEASE, NotSendable
from survey.services.people import Entry
from survey.site import site
from tests import factories
from tests.conftest import CLOSES, NOW

pytestmark = pytest.mark.usefixtures("app_context")


class Refusing(Catcher):
    """A mail server that answers some addresses with an error."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self.answers = answers

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring)


def received(catcher) -> list[str]:
    return sorted(mail["To"].addresses[0].addr_spec for mail in catcher.mails)


def state_of(session, address) -> tuple[MailState, int, str]:
    session.expire_all()
    mail = session.scalars(select(Mail).where(Mail.address == address)).one()
    return mail.state, mail.attempts, mail.trouble


def test_every_invitation_arrives_once(session, round_, catcher):
    assert deliver(site(), session) == 11
    assert deliver(site(), session) == 0

    assert received(catcher) == sorted(each.person.email for each in round_.nominations)
    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.SENT}


def test_an_invitation_says_who_asks_until_when_and_how_to_decline(session, round_, catcher):
    deliver(site(), session)
    text = catcher.text_to("peer0@example.org")

    for words in (
        "Hello peer0 Example,",
        "Robin Example",
        "as a peer",
        "16 November 2026",
        "about 10 minutes",
        "Please be frank.",
        "nobody can read them",
        "groups of 3 or more",
        "I'd rather not",
        "Example Works",
    ):
        assert words in text
    assert len(re.findall(r"http://localhost/r/[\w-]{54}\n", text)) == 1


def test_a_link_from_a_mail_opens_the_form(session, round_, catcher, client):
    deliver(site(), session)
    session.close()
    link = re.search(r"http://localhost(/r/\S+)", catcher.text_to("peer0@example.org"))[1]

    assert "asks for your view" in client.get(link).text


def test_a_mail_has_plain_text_first_and_simple_html(session, round_, catcher):
    deliver(site(), session)
    mail: EmailMessage = catcher.mails[0]

    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["From"] == "Example Works <feedback@example.org>"
    assert mail["Reply-To"] == "people@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html


def test_names_cannot_write_into_a_mail(session, keyring, catcher):
    leader = factories.person(session, "Robin", "leader")
    leader.name = "Eve <b>bold</b> “Bcc: x@example.org”"
    factories.opened(session, keyring, leader=leader, roster={"peer": 3})
    deliver(site(), session)

    for mail in catcher.mails:
        assert len(mail["To"].addresses) == 1
        assert mail["Bcc"] is None
        assert "<b>bold" not in mail.get_body(("html",)).get_content()


def test_the_leaders_own_link_comes_by_mail_too(session, round_, catcher):
    deliver(site(), session)

    assert "Please answer the same statements about yourself" in catcher.text_to(
        "robin@example.org"
    )


def test_a_refused_address_is_seen_and_not_tried_again(session, round_, settings):
    server = Refusing({"peer1@example.org": "550 no such user"})
    server.start()
    with_server(session, settings, server)
    server.stop()

    state, attempts, trouble = state_of(session, "peer1@example.org")
    assert (state, attempts) == (MailState.FAILED, 1)
    assert trouble == "the address was refused: 550 no such user"
    assert len(server.mails) == 10
    assert mails.in_trouble(session, round_) == 1


def with_server(session, settings, server, now=NOW):
    """Deliver by another mail server than the fixture's."""
    here = site()
    here.settings = settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{server.port}"})
    deliver(here, session)


def test_a_busy_address_is_tried_again_after_a_while(session, round_, settings, clock, catcher):
    server = Refusing({"peer1@example.org": "451 try again later"})
    server.start()
    with_server(session, settings, server)
    server.stop()
    assert state_of(session, "peer1@example.org")[:2] == (MailState.WAITING, 1)

    site().settings = settings
    assert deliver(site(), session) == 0
    clock.forward(minutes=1)
    assert deliver(site(), session) == 1
    assert state_of(session, "peer1@example.org") == (MailState.SENT, 2, "")
    assert received(catcher) == ["peer1@example.org"]


def waits_of_one_mail(session, clock, times: int) -> tuple[list[int], Mail]:
    """Queue one mail, try to deliver it so many times, and note the waits in minutes."""
    robin = factories.person(session, "Robin", "leader")
    mails.queue(session, MailKind.RELEASED, "key", robin, "en", NOW)
    session.commit()
    waits: list[int] = []
    for _ in range(times):
        deliver(site(), session)
        mail = session.scalars(select(Mail)).one()
        session.refresh(mail)
        waits.append(round((mail.due_at - clock.now) / timedelta(minutes=1)))
        clock.now = mail.due_at
    return waits, mail


def test_waits_grow_until_the_mail_has_failed(session, settings, clock):
    server = Refusing({"robin@example.org": "451 try again later"})
    server.start()
    here = site()
    here.settings = settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{server.port}"})
    waits, mail = waits_of_one_mail(session, clock, 7)
    server.stop()

    assert waits[:6] == [1, 5, 30, 120, 480, 1440]
    assert mail.state is MailState.FAILED
    assert "try again later" in mail.trouble


def test_a_mail_waits_as_long_as_the_server_is_away(session, settings, clock):
    """A long weekend without the mail server must not cost a mail."""
    here = site()
    here.settings = settings.model_copy(update={"mail_url": "smtp://127.0.0.1:1"})
    waits, mail = waits_of_one_mail(session, clock, 9)

    assert waits == [1, 5, 30, 120, 480, 1440, 1440, 1440, 1440]
    assert mail.state is MailState.WAITING
    assert "the mail server does not answer" in mail.trouble


def test_a_silent_server_times_out(session, round_, settings):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        here = site()
        port = silent.getsockname()[1]
        here.settings = settings.model_copy(
            update={"mail_url": f"smtp://127.0.0.1:{port}", "mail_timeout": 0.2}
        )
        deliver(here, session, most=1)

    troubles = {mail.trouble for mail in session.scalars(select(Mail))}
    assert any(re.match("the mail server does not answer: .*timed out", each) for each in troubles)


def test_without_a_mail_server_everything_waits(session, round_, settings):
    here = site()
    here.settings = settings.model_copy(update={"mail_url": ""})

    assert deliver(here, session) == 0
    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.WAITING}


def test_mails_can_go_to_a_folder_while_developing(session, round_, settings, tmp_path):
    here = site()
    here.settings = settings.model_copy(update={"mail_url": f"file:{tmp_path}/mails"})
    deliver(here, session)

    assert len(list((tmp_path / "mails").glob("*.eml"))) == 11


def test_a_failed_mail_goes_to_the_corrected_address(session, round_, settings, clock, catcher):
    server = Refusing({"peer1@example.org": "550 no such user"})
    server.start()
    with_server(session, settings, server)
    server.stop()
    mail = session.scalars(select(Mail).where(Mail.address == "peer1@example.org")).one()
    entry = Entry("Peer One", "right@example.org", ())
    people.change(session, site().keyring, mail.person, entry, "en", NOW)
    session.commit()
    assert mail.state is MailState.WITHDRAWN

    site().settings = settings
    deliver(site(), session)

    assert received(catcher) == ["peer1@example.org", "right@example.org"]
    assert "/r/" in catcher.text_to("right@example.org")
    told = catcher.text_to("peer1@example.org")
    assert "mails to you now go to another address" in told
    assert "right@example.org" not in told


def test_a_lost_invitation_is_sent_again_with_the_same_link(session, round_, catcher):
    deliver(site(), session)
    first = catcher.text_to("peer0@example.org")
    mail = session.scalars(select(Mail).where(Mail.address == "peer0@example.org")).one()

    mails.send_again(session, mail.id, NOW)
    deliver(site(), session)

    assert catcher.text_to("peer0@example.org") == first
    assert received(catcher).count("peer0@example.org") == 2


def test_a_code_is_never_sent_again(session, keyring, catcher):
    robin = factories.person(session, "Robin", "leader")
    sign_in.request_code(session, keyring, "a browser", robin.email, "en", NOW)
    deliver(site(), session)
    mail = session.scalars(select(Mail).where(Mail.kind == MailKind.SIGN_IN)).one()

    with pytest.raises(NotSendable):
        mails.send_again(session, mail.id, NOW)


def test_what_a_closed_round_had_not_sent_is_called_back(session, keyring, round_, catcher):
    factories.all_answer(session, keyring, round_)
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    deliver(site(), session)
    assert received(catcher) == []

    rounds.every(session)
    site().clock.now = CLOSES
    deliver(site(), session)
    assert received(catcher) == ["robin@example.org"]
    assert "Your preview is ready" in catcher.mails[0]["Subject"]


def test_a_mail_in_german_speaks_german_where_the_catalogue_does(session, round_):
    mail = session.scalars(select(Mail)).first()
    mail.language = "de"

    message = compose(site(), session, mail)
    assert 'lang="de"' in message.get_body(("html",)).get_content()
    assert plain_text(message)


# --- Processes that die -----------------------------------------------------------------------

WORKER = """
import os, signal, sys
from survey import create_app, db
from survey.mail import deliver
from survey.site import site
from datetime import datetime

now = datetime.fromisoformat(sys.argv[1])
with create_app(clock=lambda: now).app_context():
    deliver(site(), db.session(), most=int(sys.argv[2]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def worker(settings: Settings, most: int) -> subprocess.Popen[bytes]:
    environment = {
        "PREVIEW360_DATABASE_URL": settings.database_url,
        "PREVIEW360_KEYRING": str(settings.keyring),
        "PREVIEW360_MAIL_URL": settings.mail_url,
        "PREVIEW360_MAIL_FROM": settings.mail_from,
    }
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, NOW.isoformat(), str(most)], env=environment
    )


def test_a_worker_that_dies_between_two_mails_loses_and_repeats_none(
    app, session, round_, settings, catcher
):
    session.close()

    assert worker(settings, most=4).wait() == -signal.SIGKILL
    assert len(catcher.mails) == 4

    jobs.sweep(app)
    assert len(received(catcher)) == len(set(received(catcher))) == 11


class Killing(Catcher):
    """A mail server that kills its client in the middle of a hand-over."""

    victim = 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if len(self.mails) == 2 and self.victim:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = 0
        return await super().handle_DATA(server, session, envelope)


def test_a_worker_that_dies_in_a_hand_over_repeats_only_that_mail_under_the_same_id(
    app, session, round_, settings, clock
):
    """It cannot know whether the server took it; losing an invitation would be worse."""
    server = Killing()
    server.start()
    session.close()
    killed = settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{server.port}"})
    process = worker(killed, most=11)
    server.victim = process.pid
    assert process.wait() == -signal.SIGKILL

    with app.app_context():
        here = site()
        here.settings = killed
        deliver(here, db.session())
        assert len(server.mails) in (10, 11)
        clock.now = NOW + LEASE
        deliver(here, db.session())
    server.stop()

    ids = [mail["Message-ID"] for mail in server.mails]
    assert len(set(ids)) == 11
    assert len(ids) in (11, 12)


def test_two_workers_at_once_send_each_mail_once(session, round_, settings, catcher):
    session.close()
    workers = [worker(settings, most=50) for _ in range(3)]
    for each in workers:
        each.wait()

    assert len(received(catcher)) == len(set(received(catcher))) == 11


def test_a_server_that_fails_is_asked_once_and_costs_no_other_mail_a_try(session, round_, settings):
    here = site()
    here.settings = settings.model_copy(update={"mail_url": "smtp://127.0.0.1:1"})
    deliver(here, session)

    assert sorted(mail.attempts for mail in session.scalars(select(Mail))) == [0] * 10 + [1]


def test_a_server_that_refuses_us_as_sender_fails_no_mail(session, round_, settings):
    """A wrong setting is mended in an hour; eleven mails need not be sent again by hand."""

    class Strict(Catcher):
        async def handle_MAIL(self, *_):  # noqa: N802
            return "530 authentication required"

    server = Strict()
    server.start()
    with_server(session, settings, server)
    server.stop()

    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.WAITING}
    [trouble] = {mail.trouble for mail in session.scalars(select(Mail))} - {""}
    assert trouble == "we were refused as sender: 530 authentication required"


class Answering(threading.Thread):
    """A mail server that says a few lines, whatever it is asked, and then hangs up."""

    def __init__(self, *lines: str) -> None:
        super().__init__(daemon=True)
        self.lines = lines
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.times = 0

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.times += 1
            with connection, connection.makefile("rb") as asked:
                for line in self.lines:
                    connection.sendall(line.encode() + b"\r\n")
                    asked.readline()

    def stop(self) -> None:
        self.listener.close()


@pytest.mark.parametrize(
    ("lines", "sign_in"),
    [
        (["554 no service here"], ""),
        (["421 too busy"], ""),
        (["220 hello", "250-fine\r\n250 STARTTLS", "502 not now"], ""),
        (["220 hello", "250 fine"], "user:secret@"),
        (["220 hello", "250-fine\r\n250 AUTH PLAIN", "535 wrong password"], "user:secret@"),
        (["220 hello", "250 fine", "421 closing down"], ""),
        (["220 hello", "250 fine", "250 ok", "421 closing down"], ""),
    ],
)
def test_what_is_the_servers_fault_fails_no_mail_and_is_met_once(
    session, round_, settings, lines, sign_in
):
    server = Answering(*lines)
    server.start()
    url = f"smtp://{sign_in}127.0.0.1:{server.port}"
    site().settings = settings.model_copy(update={"mail_url": url})
    deliver(site(), session)
    server.stop()

    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.WAITING}
    assert sorted(mail.attempts for mail in session.scalars(select(Mail))) == [0] * 10 + [1]
    assert server.times == 1
    assert "secret" not in " ".join(mail.trouble for mail in session.scalars(select(Mail)))


def changed(session, email: str, to: str) -> None:
    person = session.scalars(select(Person).where(Person.email == email)).one()
    entry = Entry(person.name, to, people.roles_of(person))
    people.change(session, site().keyring, person, entry, "en", NOW)
    session.commit()


def test_the_old_address_is_told_whatever_is_changed_next(session, round_, catcher):
    """Two quick changes, and sending again, must not lead the warning to the new address."""
    changed(session, "robin@example.org", "evil@example.org")
    changed(session, "evil@example.org", "evil2@example.org")
    deliver(site(), session)

    assert "mails to you now go to another address" in catcher.text_to("robin@example.org")
    told = session.scalars(
        select(Mail).where(Mail.kind == MailKind.ADDRESS_CHANGED).order_by(Mail.address)
    ).all()
    assert [mail.address for mail in told] == ["evil@example.org", "robin@example.org"]
    mails.mark_trouble(session, told[1], "550 no", NOW, final=True)
    mails.send_again(session, told[1].id, NOW)
    assert told[1].address == "robin@example.org"


def test_a_new_link_never_goes_to_the_old_address(session, round_, catcher, clock):
    """A worker died with the mail in hand; meanwhile the address was changed."""
    while (mail := mails.claim(session, NOW)) is not None:
        session.commit()
        if mail.address == "peer0@example.org":
            break
    changed(session, "peer0@example.org", "new@example.org")
    clock.now = NOW + LEASE
    deliver(site(), session)

    assert [to for to in received(catcher) if to.startswith(("peer0", "new"))] == [
        "new@example.org", "peer0@example.org",
    ]  # fmt: skip
    assert "/r/" not in catcher.text_to("peer0@example.org")
    session.refresh(mail)
    assert (mail.state, mail.trouble) == (MailState.FAILED, "the person's address has changed")


def test_a_mail_that_cannot_be_written_holds_up_no_other(session, round_, catcher):
    """An address of before it was checked so strictly: no header can carry it."""
    kind, to = MailKind.RELEASED, "jörg@example.org"
    odd = mails.queue(session, kind, "odd", round_.leader, "en", NOW, address=to)
    session.commit()

    assert deliver(site(), session) == 11
    session.refresh(odd)
    assert odd.state is MailState.FAILED
    assert odd.trouble.startswith("it could not be written")


def test_without_the_keyring_links_wait(session, round_, keyring, catcher):
    keyring.path.rename(keyring.path.with_name("away"))
    deliver(site(), session)
    states = {mail.state for mail in session.scalars(select(Mail))}

    assert states == {MailState.WAITING}
    assert "keyring cannot be used" in next(
        mail.trouble for mail in session.scalars(select(Mail)) if mail.trouble
    )


def several(session, keyring):
    """Sam asks the same people as Robin does."""
    sam = factories.person(session, "Sam", "leader")
    return factories.opened(session, keyring, leader=sam)


def test_whom_two_leaders_ask_gets_one_mail_with_both_links(
    session, keyring, round_, catcher, client
):
    second = several(session, keyring)
    deliver(site(), session)

    assert received(catcher).count("peer0@example.org") == 1
    text = catcher.text_to("peer0@example.org")
    found = re.findall(r"http://localhost/r/(\S+)", text)
    links = [factories.links(session, keyring, each)["peer0"] for each in (round_, second)]
    assert sorted(found) == sorted(links)
    assert "You are asked here, too" in text
    assert "Open until the end of 16 November 2026." in text
    assert deliver(site(), session) == 0
    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.SENT}


def test_when_invitations_went_does_not_tell_who_has_answered(
    session, keyring, round_, catcher, clock
):
    """Sam's waits until tomorrow, *Send again* sends Robin's now: for all alike it takes Sam's."""
    deliver(site(), session)
    second = several(session, keyring)
    links = factories.links(session, keyring, second)
    factories.answer(session, keyring, links["peer0"])
    ballots.decline(session, ballots.rater(session, keyring, links["peer1"], NOW))
    session.commit()
    clock.forward(minutes=5)
    for name in ("peer0", "peer1", "peer2"):
        query = select(Mail).filter_by(address=f"{name}@example.org", state=MailState.SENT)
        mails.send_again(session, session.scalars(query).one().id, clock.now)
    session.commit()
    catcher.mails.clear()
    deliver(site(), session)

    query = select(Mail.state, Mail.sent_at).where(Mail.round_id == second.id)
    seen = [
        session.execute(query.where(Mail.address == f"{name}@example.org")).one()
        for name in ("peer0", "peer1", "peer2")
    ]
    assert seen == [(MailState.SENT, clock.now)] * 3
    # What is marked as sent was indeed sent.
    assert f"/r/{links['peer0']}" in catcher.text_to("peer0@example.org")


def test_what_is_asked_along_waits_again_where_the_mail_is_not_taken(
    session, keyring, round_, settings, clock, catcher
):
    several(session, keyring)
    server = Refusing({"peer0@example.org": "450 busy"})
    server.start()
    here = site()
    url = here.settings.mail_url
    here.settings = settings.model_copy(update={"mail_url": f"smtp://127.0.0.1:{server.port}"})
    deliver(here, session)
    server.stop()
    waiting = list(session.scalars(select(Mail).where(Mail.address == "peer0@example.org")))
    assert [mail.state for mail in waiting] == [MailState.WAITING] * 2
    here.settings = settings.model_copy(update={"mail_url": url})
    clock.forward(minutes=2)
    deliver(here, session)

    assert received(catcher) == ["peer0@example.org"]


def test_a_mail_lists_neither_what_was_answered_nor_what_was_declined(
    session, keyring, catcher, clock
):
    first = several(session, keyring)
    links = factories.links(session, keyring, first)
    factories.answer(session, keyring, links["peer0"])
    ballots.decline(session, ballots.rater(session, keyring, links["peer1"], NOW))
    session.commit()
    deliver(site(), session)
    clock.forward(days=2)
    catcher.mails.clear()
    factories.opened(session, keyring, now=clock.now)
    deliver(site(), session)

    listed = {
        name: "You are asked here, too" in catcher.text_to(f"{name}@example.org")
        for name in ("peer0", "peer1", "peer2")
    }
    assert listed == {"peer0": False, "peer1": False, "peer2": True}


def test_a_reminder_says_how_to_stop_and_stops_at_one_click(
    session, round_, catcher, clock, client
):
    deliver(site(), session)
    clock.forward(days=3)
    reminders.remind(session, round_, clock.now)
    session.commit()
    catcher.mails.clear()
    deliver(site(), session)
    [mail] = [each for each in catcher.mails if each["To"] == "peer0@example.org"]

    assert mail["Subject"] == "Until 16 November 2026: Robin Example would like your view"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail["List-Unsubscribe"].strip("<>")
    assert url in plain_text(mail)
    # As RFC 8058 has it: a POST with this body, and neither cookie nor page before it.
    answer = client.post(
        url.removeprefix("http://localhost"), data={"List-Unsubscribe": "One-Click"}
    )
    assert answer.status_code == 200
    clock.forward(days=3)
    assert reminders.remind(session, round_, clock.now) == 9


def test_opening_the_link_to_stop_changes_nothing_and_asks_first(session, round_, catcher, client):
    deliver(site(), session)
    mail = catcher.mails[0]
    page = client.get(mail["List-Unsubscribe"].strip("<>").removeprefix("http://localhost"))

    assert "Shall we send you no more reminders" in page.text
    assert {each.undisturbed for each in session.scalars(select(Invitation))} == {False}


@pytest.mark.parametrize("path", ["x", "e30", "IjEyMyI.abc"])
def test_a_link_to_stop_that_we_did_not_make_stops_nothing(session, round_, client, path):
    assert client.post(f"/no-reminders/{path}").status_code == 404


def test_the_link_to_stop_opens_no_form(session, round_, catcher, client):
    deliver(site(), session)
    path = catcher.mails[0]["List-Unsubscribe"].strip("<>").rpartition("/")[2]

    assert client.get(f"/r/{path}").status_code == 404


def test_what_a_vanished_deliverer_took_along_is_sent_along_again(
    session, keyring, round_, catcher, clock
):
    several(session, keyring)
    taken = mails.claim(session, clock.now)
    person = taken.person_id
    others = select(Mail).where(Mail.person_id == person, Mail.id != taken.id)
    [other] = session.scalars(others).all()
    assert [each.id for each in mails.claim_along(session, taken, [other.invitation_id], clock.now)]
    session.commit()
    clock.forward(minutes=11)
    deliver(site(), session)

    assert received(catcher).count(taken.address) == 1
    assert {mail.state for mail in session.scalars(select(Mail))} == {MailState.SENT}


@pytest.mark.parametrize("meanwhile", ["answered", "declined", "stopped"])
def test_a_reminder_is_not_sent_to_whom_it_no_longer_concerns(
    session, keyring, catcher, clock, meanwhile
):
    """A deliverer took it and vanished; meanwhile the rater did what it asks for, or not."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    deliver(site(), session)
    clock.forward(days=3)
    reminders.remind(session, round_, clock.now)
    session.commit()
    taken = [mails.claim(session, clock.now) for _ in range(3)]
    session.commit()
    link = factories.links(session, keyring, round_)["peer0"]
    [mail] = [each for each in taken if each.address == "peer0@example.org"]
    if meanwhile == "answered":
        factories.answer(session, keyring, link, now=clock.now)
    elif meanwhile == "declined":
        ballots.decline(session, ballots.rater(session, keyring, link, clock.now))
    else:
        reminders.stop(session, mail.invitation_id)
    session.commit()
    catcher.mails.clear()
    clock.forward(minutes=11)
    deliver(site(), session)

    assert received(catcher) == ["peer1@example.org", "peer2@example.org"]


def test_a_mail_that_fails_for_itself_leaves_what_was_to_go_along(
    session, keyring, round_, catcher
):
    second = several(session, keyring)
    here = site()
    taken = mails.claim(session, here.now())
    while taken.address != "peer0@example.org":
        taken = mails.claim(session, here.now())
    session.commit()
    # The round of the mail that is being handed over ends; the other one is still open.
    ended, other = (round_, second) if taken.round_id == round_.id else (second, round_)
    taken.state, taken.due_at = MailState.WAITING, NOW - timedelta(hours=1)
    session.commit()
    rounds.void(session, ended, NOW)
    taken.state = MailState.WAITING
    session.commit()
    deliver(here, session)

    query = select(Mail.state).where(Mail.round_id == other.id, Mail.address == "peer0@example.org")
    assert session.scalars(query).all() == [MailState.SENT]
    assert received(catcher).count("peer0@example.org") == 1


def test_a_row_that_is_gone_when_its_mail_is_sent_stops_no_delivery(session, round_, clock):
    clock.forward(days=3)
    reminders.remind(session, round_, clock.now)
    mail = session.scalars(select(Mail).where(Mail.kind == MailKind.REMINDER)).first()
    session.commit()
    mails.forget_reminders(session, round_)
    mails.mark_sent(session, mail, clock.now)
    mails.mark_trouble(session, mail, "450 busy", clock.now)
    session.commit()

    assert MailKind.REMINDER not in set(session.scalars(select(Mail.kind)))


def test_whom_no_reminder_of_a_round_may_reach_reads_of_it_in_no_other_mail(
    session, keyring, round_, catcher, clock
):
    deliver(site(), session)
    query = select(Invitation).join(Mail, Mail.invitation_id == Invitation.id)
    quiet = session.scalars(query.where(Mail.address == "peer0@example.org")).one()
    reminders.stop(session, quiet.id)
    session.commit()
    clock.forward(days=2)
    catcher.mails.clear()
    sam = factories.person(session, "Sam", "leader")
    factories.opened(session, keyring, leader=sam, now=clock.now)
    deliver(site(), session)

    assert "Robin" not in catcher.text_to("peer0@example.org")
    assert "Feedback for Robin" in catcher.text_to("peer1@example.org")


class Raw(Catcher):
    """A mail server that keeps what came over the line, byte by byte."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: list[bytes] = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.contents.append(envelope.content)
        return "250 kept"


@pytest.mark.parametrize("language", ["en", "de"])
def test_over_the_line_the_link_to_stop_is_one_plain_word(session, keyring, settings, language):
    """The library would encode a long address, which no mail program could read (RFC 8058)."""
    server = Raw()
    server.start()
    here = site()
    here.settings = settings.model_copy(
        update={
            "mail_url": f"smtp://127.0.0.1:{server.port}",
            "base_url": f"https://{'feedback.' * 8}example.org",
        }
    )
    factories.opened(session, keyring, language=language)
    deliver(here, session)
    server.stop()

    for content in server.contents:
        head, _, body = content.partition(b"\r\n\r\n")
        [stop] = [line for line in head.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
        url = here.settings.base_url.encode() + rb"/no-reminders/[\w.-]+"
        assert re.fullmatch(rb"List-Unsubscribe: <" + url + rb">", stop)
        assert b"=?" not in head or language == "de"
        assert all(len(line) <= 998 for line in content.split(b"\r\n"))
        assert all(len(line) <= 78 for line in body.split(b"\r\n"))
