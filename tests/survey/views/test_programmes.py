"""A programme as its administrator, leaders, managers and raters see it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey import jobs
from survey.links import approval_path
from survey.models import AuditEntry, Printout, Round
from survey.services.people import by_address
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.visitor import Visitor
from tests.world import finished

LEADERS = "lee@example.org, mona@example.org\nsam@example.org; mona@example.org\n"
NAMES = "\n".join(f"Peer{n} Example <peer{n}@example.org>" for n in range(5))


@pytest.fixture
def people(session):
    names = {"Lee": ["leader"], "Sam": ["leader"], "Andy": ["administrator"], "Mona": []}
    found = {name: factories.person(session, name, *roles) for name, roles in names.items()}
    session.commit()
    session.close()
    return found


@pytest.fixture
def andy(app, people):
    return Visitor(app, people["Andy"])


def set_up(andy, **values):
    andy.open("/administration/programmes/new")
    return andy.send(
        {
            "name": "Autumn",
            "first_day": "2026-11-16",
            "last_day": "2026-11-30",
            "approves": "y",
            "leaders": LEADERS,
        }
        | values
    )


def test_from_setting_up_to_the_invitations(app, andy, people, session, catcher, clock):
    page = set_up(andy)
    assert "Lee Example" in page
    assert "2 rounds." in page
    jobs.sweep(app)
    assert "the invitations go out on 16 November 2026" in catcher.text_to("lee@example.org")

    lee = Visitor(app, people["Lee"])
    page = lee.open("/rounds")
    assert "Autumn" in page
    round_ = session.query(Round).filter_by(leader_id=people["Lee"].id).one()
    session.close()
    page = lee.open(f"/rounds/{round_.id}/prepare")
    assert "Part of “Autumn”" in page
    assert 'name="last_day"' not in page
    assert "Discard" not in page
    lee.send({})
    page = lee.send({"peer": NAMES})
    assert "Ask Mona Example to approve" in page
    page = lee.send(action="/ask-approval")
    assert "Mona Example has your list" in page

    jobs.sweep(app)
    text = catcher.text_to("mona@example.org")
    link = next(word for word in text.split() if "/approve/" in word)
    mona = Visitor(app)
    page = mona.open(link)
    assert "peer4@example.org" in page
    page = mona.send({"send_back": "y", "note": ""})
    assert (mona.status, "Write a sentence" in page) == (422, True)
    page = mona.send({"send_back": "y", "note": "Please add somebody from support."})
    assert "You have sent this list back" in page
    assert "peer4@example.org" not in page
    jobs.sweep(app)
    assert "Please add somebody from support." in catcher.text_to("lee@example.org", "sent your")

    page = lee.open(f"/rounds/{round_.id}/ready")
    assert "Please add somebody from support." in page
    lee.open(f"/rounds/{round_.id}/raters")
    lee.send({"peer": NAMES + "\nSupport Example <support@example.org>"})
    lee.send(action="/ask-approval")
    mona.open(link)
    page = mona.send()
    assert "You have approved this list" in page
    assert "You are ready." in lee.open(f"/rounds/{round_.id}/ready")

    clock.now = NOW + timedelta(days=14)
    jobs.sweep(app)
    text = catcher.text_to("support@example.org", "asks you")
    rater = Visitor(app)
    page = rater.open(next(word for word in text.split() if "/r/" in word))
    assert "Mona Example has looked at the list of those to be asked" in page
    mona.open(link)
    assert mona.status == 404
    page = Visitor(app, people["Andy"], now=clock.now).open(andy.address)
    assert "collecting, not enough answers yet" in page
    assert "peer0" not in page


def test_lines_that_cannot_be_taken_are_named_and_nothing_is_lost(andy):
    page = set_up(andy, leaders="lee@example.org mona@example.org\nnobody@example.org")

    assert andy.status == 422
    assert 'href="#leaders"' in page
    assert "line 2</a>: nobody here has the address nobody@example.org" in page
    assert "lee@example.org mona@example.org\nnobody@example.org" in page
    assert 'value="Autumn"' in page


def test_more_time_more_leaders_and_fewer(app, andy, people, session):
    set_up(andy, leaders="lee@example.org, mona@example.org")
    page = andy.send({"leaders": "sam@example.org, mona@example.org"}, action="/leaders")
    assert "Sam Example" in page
    page = andy.send({"last_day": "2026-11-29"}, action="/closing-day")
    assert (andy.status, "must be later" in page) == (422, True)
    page = andy.send({"last_day": "2026-12-07"}, action="/closing-day")
    assert page.count("7 December 2026") == 3
    page = andy.send(action="/remind")
    assert "2 leaders get a mail." in page
    page = andy.send(action="/take-out")
    assert "One round." in page


def test_a_link_to_approve_ends_with_the_address_it_was_mailed_to(
    app, andy, people, session, catcher, keyring
):
    """Whoever gets the old mailbox must not approve, and the manager can without asking again."""
    set_up(andy)
    round_ = session.query(Round).filter_by(leader_id=people["Lee"].id).one()
    session.close()
    lee = Visitor(app, people["Lee"])
    lee.open(f"/rounds/{round_.id}/prepare")
    lee.send({})
    lee.send({"peer": NAMES})
    lee.send(action="/ask-approval")
    jobs.sweep(app)
    [before] = approval_links(catcher, "mona@example.org")

    andy.open(f"/administration/people/{people['Mona'].id}")
    andy.send({"email": "mona.new@example.org"})
    assert andy.status == 200
    jobs.sweep(app)
    [after] = approval_links(catcher, "mona.new@example.org")
    assert approval_links(catcher, "mona@example.org") == [before]
    mona = Visitor(app)
    mona.open(before)
    assert mona.status == 404
    assert "peer4@example.org" in mona.open(after)


def approval_links(catcher, address):
    words = [
        word
        for mail in catcher.mails
        if address in mail["To"]
        for word in mail.get_body(("plain",)).get_content().split()
    ]
    return [word for word in words if "/approve/" in word]


def test_a_link_to_approve_opens_nothing_for_another_round_or_person(
    app, andy, people, session, keyring
):
    set_up(andy)
    lee, sam = people["Lee"], by_address(session, "sam@example.org")
    round_ = session.query(Round).filter_by(leader_id=lee.id).one()
    session.close()
    for path in (
        approval_path(keyring, round_.id, sam.email),
        approval_path(keyring, sam.id, people["Mona"].email),
        "nothing",
    ):
        visitor = Visitor(app)
        visitor.open(f"/approve/{path}")
        assert visitor.status == 404


@pytest.fixture
def sending(app, people, session, keyring):
    """A programme with an open round whose invitations wait."""
    programme = factories.programme(session, people["Sam"], people["Mona"])
    round_ = factories.opened(session, keyring, leader=people["Lee"], roster={"peer": 4})
    round_.programme = programme
    session.commit()
    session.close()
    return programme


def test_how_many_invitations_are_sent_is_shown_while_some_wait(app, andy, sending):
    page = andy.open(f"/administration/programmes/{sending.id}")
    assert "0 of 5 invitations are sent" in page
    assert 'name="csrf_token"' in page
    jobs.sweep(app)

    page = andy.open(f"/administration/programmes/{sending.id}")
    assert "invitations are sent" not in page
    assert "Hold the mails" not in page


def test_mails_that_are_held_wait_until_they_are_let_go(app, andy, sending, catcher, session):
    andy.open(f"/administration/programmes/{sending.id}")
    page = andy.send(action="/hold-mails")
    assert "wait, also those still to come, until you let them go" in page
    jobs.sweep(app)
    assert not [mail for mail in catcher.mails if "/r/" in str(mail)]
    # What asks nobody for answers goes on.
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": "andy@example.org"})
    jobs.sweep(app)
    assert any("is your code" in mail["Subject"] for mail in catcher.mails)

    page = andy.send(action="/let-mails-go")
    assert "0 of 5 invitations are sent" in page
    jobs.sweep(app)
    assert len([mail for mail in catcher.mails if "/r/" in str(mail)]) == 5
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts[-2:] == ["mails held", "mails let go"]


def test_previews_that_are_printed_ahead_are_counted_and_can_be_stopped(
    app, andy, people, sending, session, keyring, settings, clock
):
    app.extensions[EXTENSION].settings = settings.model_copy(update={"print_ahead": 14})
    round_ = finished(session, keyring, people["Sam"])
    round_.programme_id = sending.id
    session.commit()
    session.close()
    clock.now = CLOSES
    andy = Visitor(app, people["Andy"], CLOSES)
    page = andy.open(f"/administration/programmes/{sending.id}")
    assert "0 of 1 previews are printed" in page
    page = andy.send(action="/stop-printing")

    assert "previews are printed" not in page
    jobs.sweep(app)
    assert session.scalars(select(Printout.pdf)).all() == [None]
