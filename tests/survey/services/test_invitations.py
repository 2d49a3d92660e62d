"""A link goes with its address: whoever gets a corrected one alone can use it."""

import pytest
from sqlalchemy import select

from survey import jobs
from survey.models import AuditEntry, Ballot, Mail, Person
from survey.services import ballots, closing, invitations, people
from survey.services.ballots import LinkUnknown
from survey.services.people import Entry
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.fixture
def round_(session, keyring):
    return factories.opened(session, keyring)


def moved(session, keyring, name: str = "peer0") -> None:
    """The administrator gives a rater another address."""
    person = session.scalars(select(Person).where(Person.email == f"{name}@example.org")).one()
    people.change(session, keyring, person, Entry(person.name, "hr@example.org", ()), "en", NOW)
    session.commit()


def test_whoever_changes_an_address_cannot_read_what_was_typed_before(session, keyring, round_):
    """An administrator could have the link mailed to themselves."""
    link = factories.links(session, keyring, round_)["peer0"]
    rater = ballots.rater(session, keyring, link, NOW)
    ballots.start(session, rater)
    ballots.save(session, rater, ballots.Draft(words={"OP1": ("My honest view",)}))
    session.commit()
    # The attack: as long as the link is the same, whoever has it reads the draft.
    assert ballots.draft(session, ballots.rater(session, keyring, link, NOW)).words["OP1"]

    moved(session, keyring)

    with pytest.raises(LinkUnknown):
        ballots.rater(session, keyring, link, NOW)
    new = factories.links(session, keyring, round_)["hr"]
    assert ballots.draft(session, ballots.rater(session, keyring, new, NOW)) is None


def test_what_was_sent_before_the_address_changed_counts(session, keyring, round_):
    factories.all_answer(session, keyring, round_)
    before = len(session.scalars(select(Ballot)).all())
    moved(session, keyring)
    assert len(session.scalars(select(Ballot)).all()) == before == 11

    new = ballots.rater(session, keyring, factories.links(session, keyring, round_)["hr"], NOW)
    ballots.start(session, new)
    session.commit()
    assert closing.close(session, keyring, round_.id, CLOSES)


def test_nothing_tells_the_administrator_who_had_answered(session, keyring, round_):
    """With or without answers the same happens: a new link, and nothing refused."""
    factories.answer(session, keyring, factories.links(session, keyring, round_)["peer0"])
    seen = []
    for name in ("peer0", "peer1"):
        before = set(session.scalars(select(Mail.id)))
        acts = len(session.scalars(select(AuditEntry)).all())
        moved(session, keyring, name)
        new = [mail for mail in session.scalars(select(Mail)) if mail.id not in before]
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[acts:]
        seen.append((sorted((m.kind, m.state) for m in new), [each.act for each in entries]))
        hr = session.scalars(select(Person).where(Person.email == "hr@example.org")).one()
        hr.email = f"{name}-now@example.org"
        session.commit()

    assert seen[0] == seen[1]


def test_an_address_changed_in_the_database_gets_no_link(session, keyring, app, catcher):
    """Somebody who can write there puts in their own and has the invitation sent again."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    person = session.scalars(select(Person).where(Person.email == "peer0@example.org")).one()
    person.email = "eve@example.net"
    invitations.send_again(session, round_, person, NOW)
    session.commit()
    session.close()
    jobs.sweep(app)

    assert not [mail for mail in catcher.mails if "eve@example.net" in mail["To"]]
    others = [mail for mail in catcher.mails if "peer1@example.org" in mail["To"]]
    assert len(others) == 1
    trouble = session.scalars(select(Mail.trouble).where(Mail.address == "eve@example.net")).all()
    assert trouble == ["its link was made for another address"]
