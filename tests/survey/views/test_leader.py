"""The leader's way: prepare, name raters, send, wait, read."""

import io
import re
from datetime import timedelta

import pdfplumber
import pytest
from sqlalchemy import select

from reports.printing import Limits
from survey import jobs
from survey.demo.catcher import plain_text
from survey.keyring import KeyringUnusable
from survey.models import Mail, Person, Proposal, Release, Round, RoundState
from survey.services import closing
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.visitor import Visitor

PEERS = "Ada Example <ada@example.org>\nBert, bert@example.org\ncarl@example.org Carl"


@pytest.fixture
def robin(session):
    robin = factories.person(session, "Robin", "leader")
    session.commit()
    return robin


@pytest.fixture
def leader(app, robin):
    return Visitor(app, robin)


def prepared(leader, **values):
    leader.open("/rounds/new")
    leader.send({"level": "new_lead", "last_day": "2026-11-16", "message": "Hello."} | values)


def test_a_round_is_prepared_named_and_sent(app, session, leader, catcher):
    prepared(leader)
    leader.send({"peer": PEERS, "manager": "Max <max@example.org>"})
    assert leader.address.endswith("/ready")
    assert "4 people get a mail" in leader.page
    leader.send()

    assert "Collecting" in leader.page
    round_ = session.scalars(select(Round)).one()
    assert (round_.state, round_.closes_at) == (RoundState.OPEN, CLOSES)
    session.close()
    jobs.sweep(app)
    assert sorted(mail["To"].addresses[0].addr_spec for mail in catcher.mails) == [
        "ada@example.org", "bert@example.org", "carl@example.org", "max@example.org",
        "robin@example.org",
    ]  # fmt: skip


def test_before_sending_the_leader_learns_who_is_shown_together(leader):
    prepared(leader)
    leader.send({"peer": PEERS, "manager": "Max <max@example.org>"})

    assert "Peers + Managers" in leader.page
    assert (
        "Managers: with 1 named, this group cannot stand alone; it needs 3 answers." in leader.page
    )
    assert "Peers: with 3 named there is little to spare." in leader.page


def test_with_too_few_names_nothing_is_sent(session, leader):
    prepared(leader)
    leader.send({"peer": "Ada <ada@example.org>"})
    assert "Nothing could be shown" in leader.page
    leader.send()

    assert leader.status == 422
    assert "Name at least 3 raters" in leader.page
    assert session.scalars(select(Mail)).all() == []


def test_every_wrong_line_is_named_and_everything_typed_stays(session, leader):
    prepared(leader)
    typed = "Ada <ada@example>\nno address\nrobin@example.org Robin\nEve <eve@example.org>"
    leader.send({"peer": typed, "direct_report": "Eve Again <eve@example.org>, x@example.org"})

    assert leader.status == 422
    places = re.findall(r'<a href="#(\w+)">[^<]*line (\d+)</a>', leader.page)
    assert places == [("peer", "1"), ("peer", "2"), ("peer", "3"), ("direct_report", "1")]
    assert "Ada &lt;ada@example&gt;" in leader.page
    assert session.scalars(select(Person)).one().name == "Robin Example"


@pytest.mark.parametrize("day", ["2026-11-02", "2027-06-01", "soon", ""])
def test_a_closing_day_that_makes_no_sense_keeps_the_rest(leader, day):
    prepared(leader, last_day=day, message="Keep me.")

    assert leader.status == 422
    assert "Keep me." in leader.page


def test_names_can_change_until_the_invitations_are_sent(session, leader, robin):
    prepared(leader)
    leader.send({"peer": PEERS})
    round_id = session.scalars(select(Round.id)).one()
    session.close()
    leader.open(f"/rounds/{round_id}/raters")
    assert "Ada Example &lt;ada@example.org&gt;" in leader.page
    leader.send({"peer": PEERS + "\nDora <dora@example.org>"})
    assert "4 people get a mail" in leader.page
    leader.send()

    leader.open(f"/rounds/{round_id}/raters")
    assert leader.status == 409
    assert "can no longer change" in leader.page


def test_the_leader_sees_enough_or_not_yet_but_never_who_or_when(
    session, keyring, app, leader, robin, clock
):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    before = leader.page
    assert before.count("not yet") == 3
    assert "shown together with others" in before

    factories.all_answer(session, keyring, round_)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    strip = re.compile(r'name="csrf_token" value="[^"]+"')
    same = strip.sub("", leader.page).replace(">sent<", ">not yet: your link is in your mail<")
    assert same == strip.sub("", before)

    clock.forward(days=1)
    jobs.sweep(app)
    leader = Visitor(app, robin, now=clock.now)
    leader.open(f"/rounds/{round_.id}")
    assert leader.page.count(">enough<") == 2
    # Everybody who is asked stands there once, to be asked no longer; before and after alike.
    for name in ("peer0", "peer4", "manager0"):
        assert leader.page.count(name) == before.count(name) == 1


def test_the_closing_day_can_be_moved_on_and_not_back(session, keyring, leader, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send({"last_day": "2026-11-10"}, action="/extend")
    assert leader.status == 422
    assert "must be later" in leader.page

    leader.send({"last_day": "2026-11-23"}, action="/extend")
    assert session.get(Round, round_.id, populate_existing=True).closes_at == CLOSES + timedelta(7)


def test_a_prepared_round_can_be_discarded(session, leader):
    prepared(leader)
    leader.send({"peer": PEERS})
    round_ = session.scalars(select(Round)).one()
    session.close()
    leader.open(f"/rounds/{round_.id}/prepare")
    leader.send(action="/discard")

    assert leader.address == "/rounds"
    assert "The round was discarded" in leader.page
    assert session.scalars(select(Round)).all() == []


def test_a_round_can_be_ended_without_a_trace(app, session, keyring, leader, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, round_)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send(action="/void")

    assert "Ended without a preview" in leader.page
    jobs.sweep(app)
    with pytest.raises(KeyringUnusable):
        keyring.ballot_key(round_.id)


def test_the_leader_can_have_the_own_link_mailed_again(
    app, session, keyring, leader, robin, catcher
):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send(action="/own-link")
    jobs.sweep(app)

    mails = [mail for mail in catcher.mails if "robin@example.org" in mail["To"]]
    assert len(mails) == 2


def test_a_pdf_that_takes_too_long_is_one_sentence_and_the_page_goes_on(
    app, session, keyring, leader, robin, caplog
):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, round_)
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    session.close()
    app.extensions[EXTENSION].printer.limits = Limits(seconds=0)
    leader.open(f"/previews/{round_.id}/preview.pdf")

    assert leader.status == 503
    assert "could not be made in the time and memory" in leader.page
    assert "it took longer than it may" in caplog.text
    leader.open(f"/previews/{round_.id}")
    assert leader.status == 200


def test_a_closed_round_leads_to_the_preview_and_its_pdf(
    app, session, keyring, leader, robin, clock
):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, round_)
    session.close()
    clock.now = CLOSES
    jobs.sweep(app)
    leader = Visitor(app, robin, now=CLOSES)
    leader.open("/rounds")
    assert "Preview ready" in leader.page
    leader.open(f"/previews/{round_.id}")
    assert "At a glance" in leader.page

    answer = leader.client.get(f"/previews/{round_.id}/preview.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Preview Robin Example 2026-11-16.pdf"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert session.scalars(select(Release)).one().round_id == round_.id


def test_chosen_pages_are_a_pdf_of_their_own_and_comments_are_never_among_them(
    app, session, keyring, robin
):
    round_ = factories.opened(session, keyring, leader=robin, roster={"peer": 5})
    for name, link in factories.links(session, keyring, round_).items():
        canaries = {"OP1": (f"a wish of {name}",), "OP3": (f"owl{name}", "", "")}
        words = {} if name == "robin" else canaries
        factories.answer(session, keyring, link, words=words)
    factories.closed(session, keyring, round_)
    session.close()
    leader = Visitor(app, robin, now=CLOSES)
    page = leader.open(f"/previews/{round_.id}")
    assert "Share some of its pages" in page
    assert re.findall(r'name="pages" value="(\w+)"', page) == [
        "glance", "themes", "statements", "fields", "practices", "plan", "pathway"
    ]  # fmt: skip

    def words(*pages):
        query = "&".join(f"pages={page}" for page in pages)
        answer = leader.client.get(f"/previews/{round_.id}/pages.pdf?{query}")
        with pdfplumber.open(io.BytesIO(answer.data)) as pdf:
            return " ".join(page.extract_text() for page in pdf.pages)

    shared = words("glance", "practices", "quotes")
    assert "At a glance" in shared
    assert "Your next 90 days" in shared
    assert "How this was made" in shared
    assert "Statement by statement" not in shared
    assert "a wish of" not in shared
    assert "owlpeer" not in shared
    whole = leader.client.get(f"/previews/{round_.id}/preview.pdf")
    with pdfplumber.open(io.BytesIO(whole.data)) as pdf:
        everything = " ".join(page.extract_text() for page in pdf.pages)
    assert "a wish of peer0" in everything
    assert "owlpeer0" in everything


def test_the_preview_of_a_later_round_says_what_has_changed(app, session, keyring, robin):
    later, closed = CLOSES + timedelta(days=100), []
    for now, mm in ((NOW, 2), (later, 4)):
        round_ = factories.opened(session, keyring, leader=robin, now=now)
        factories.all_answer(session, keyring, round_, items=factories.scores(mm=mm), now=now)
        closing.close(session, keyring, round_.id, round_.closes_at)
        session.commit()
        closed.append(round_.id)
    session.close()
    leader = Visitor(app, robin, now=later)
    leader.open(f"/previews/{closed[1]}")

    assert "What has changed" in leader.page
    assert "Others see it clearly more often than last time: 2.0 then, 4.0 now." in leader.page
    leader.open(f"/previews/{closed[0]}")
    assert "What has changed" not in leader.page


def test_a_coach_gets_access_and_loses_it(app, session, keyring, leader, robin, catcher):
    casey = factories.person(session, "Casey", "coach")
    session.commit()
    leader.open("/rounds")
    leader.send({"coach": str(casey.id)}, action="/coaches")
    assert "Take access back" in leader.page
    coach = Visitor(app, casey)
    coach.open("/shelf")
    assert "Robin Example" in coach.page

    leader.send(action="/take-back")
    coach.open("/shelf")
    assert "Robin Example" not in coach.page
    jobs.sweep(app)
    assert "given you access" in catcher.text_to("casey@example.org")


@pytest.fixture
def andy(session):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    return andy


def texts_of(mails, subject):
    return [plain_text(mail) for mail in mails if subject in mail["Subject"]]


def test_one_more_is_asked_once_an_administrator_agrees(
    app, session, keyring, leader, robin, andy, catcher
):
    round_ = factories.opened(session, keyring, leader=robin)
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send({"rater": "nonsense", "relationship": "peer"}, action="/ask-one-more")
    assert leader.status == 422
    assert "nonsense" in leader.page
    assert "There is a problem" in leader.page
    leader.send(
        {"rater": "Dawn Example <dawn@example.org>", "relationship": "peer"}, action="/ask-one-more"
    )
    assert "Dawn Example (dawn@example.org) is to be asked, too (Peers)." in leader.page
    assert "It waits for somebody to agree." in leader.page

    administrator = Visitor(app, andy)
    administrator.open("/administration/rounds")
    assert "Dawn Example (dawn@example.org)" in administrator.page
    administrator.send(action="/approve")
    assert "The change is made" in administrator.page
    jobs.sweep(app)

    assert len(texts_of(catcher.mails, "Robin Example proposes a change")) == 1
    told = texts_of(catcher.mails, "Something has changed: feedback for Robin Example")
    assert len(told) == 10
    for text in told:
        assert "- 2 November 2026: one more person is asked (Peers)." in text
        assert "Dawn" not in text.partition("Hello")[2].partition("\n")[2]
        assert "http://localhost/r/" in text
    dawns = [mail for mail in catcher.mails if "dawn@example.org" in mail["To"]]
    assert [mail["Subject"] for mail in dawns] == ["Robin Example asks for your view"]
    page = Visitor(app).open(f"/r/{link}")
    assert "one more person is asked (Peers)" in page
    assert "Dawn" not in page
    leader.open(f"/rounds/{round_.id}")
    assert "one more person is asked (Peers)" in leader.page


def test_a_round_closes_earlier_once_an_administrator_agrees(
    app, session, keyring, leader, robin, andy, clock
):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send({"earlier_day": "2026-11-09"}, action="/close-earlier")
    assert "Not every group has enough answers yet" in leader.page

    factories.all_answer(session, keyring, round_)
    session.close()
    clock.forward(days=1)
    jobs.sweep(app)
    leader = Visitor(app, robin, now=clock.now)
    leader.open(f"/rounds/{round_.id}")
    leader.send({"earlier_day": "2026-11-03"}, action="/close-earlier")
    assert "at least one day from now" in leader.page
    leader.send({"earlier_day": "2026-11-09"}, action="/close-earlier")
    assert "The round is to close earlier, at the end of 9 November 2026." in leader.page

    administrator = Visitor(app, andy, now=clock.now)
    administrator.open("/administration/rounds")
    administrator.send(action="/approve")
    leader.open(f"/rounds/{round_.id}")
    assert "sealed until the end of 9 November 2026" in leader.page
    assert (
        "3 November 2026: the round closes earlier, at the end of 9 November 2026." in leader.page
    )


def test_whoever_is_asked_no_longer_is_told(app, session, keyring, leader, robin, andy, catcher):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    [person] = re.findall(r'<option value="([^"]+)">peer0 Example', leader.page)
    leader.send({"person": person}, action="/ask-one-less")
    administrator = Visitor(app, andy)
    administrator.open("/administration/rounds")
    assert "peer0 Example (peer0@example.org) is to be asked no longer" in administrator.page
    administrator.send(action="/approve")
    jobs.sweep(app)

    [told] = texts_of(catcher.mails, "You are no longer asked")
    assert "destroyed unopened" in told
    assert "/r/" not in told
    leader.open(f"/rounds/{round_.id}")
    assert "peer0" not in leader.page


def test_a_proposal_is_refused_or_taken_back(app, session, keyring, leader, robin, andy):
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    for answer in ("refused", "taken back"):
        leader.open(f"/rounds/{round_.id}")
        leader.send(
            {"rater": "Dawn <dawn@example.org>", "relationship": "peer"}, action="/ask-one-more"
        )
        if answer == "refused":
            administrator = Visitor(app, andy)
            administrator.open("/administration/rounds")
            administrator.send(action="/refuse")
            assert "The change was refused" in administrator.page
        else:
            leader.send(action="/withdraw")
            assert "taken back" in leader.page
        leader.open(f"/rounds/{round_.id}")
        assert "It waits for somebody" not in leader.page
        assert "one more person is asked" not in leader.page


def test_an_administrator_who_leads_does_not_agree_to_their_own(
    app, session, keyring, leader, robin, andy
):
    robin.administers = True
    session.commit()
    round_ = factories.opened(session, keyring, leader=robin)
    session.close()
    leader.open(f"/rounds/{round_.id}")
    leader.send(
        {"rater": "Dawn <dawn@example.org>", "relationship": "peer"}, action="/ask-one-more"
    )
    leader.open("/administration/rounds")
    assert "somebody else has to agree" in leader.page
    assert "/approve" not in leader.page

    [proposal] = session.scalars(select(Proposal.id)).all()
    session.close()
    token = leader.page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = leader.client.post(
        f"/administration/proposals/{proposal}/approve", data={"csrf_token": token}
    )
    assert answer.status_code == 403


def test_a_reminder_is_offered_two_days_later_and_tells_how_many(
    app, session, keyring, clock, robin, leader
):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])
    session.close()
    page = leader.open(f"/rounds/{round_.id}")
    assert "The next one is possible from 4 November 2026 on." in page
    clock.forward(days=2)
    leader = Visitor(app, robin, clock.now)
    leader.open(f"/rounds/{round_.id}")
    page = leader.send(action="/remind")

    assert "9 people get a reminder." in page
    assert "peer1" not in page.partition("No longer ask somebody")[0]
    clock.forward(days=2)
    leader = Visitor(app, robin, clock.now)
    leader.open(f"/rounds/{round_.id}")
    assert "Both reminders are sent." in leader.send(action="/remind")
