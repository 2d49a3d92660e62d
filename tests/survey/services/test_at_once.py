"""What a server of databases lets go on at the same time, and SQLite one after the other."""

import threading

import pytest
from sqlalchemy.orm import Session

from survey import db
from survey.models import MailKind, Release
from survey.services import ballots, closing, mails, people
from survey.services.ballots import RoundClosed
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.launching import at_once

pytestmark = pytest.mark.parametrize("database", ["postgresql"])


@pytest.fixture
def another(app):
    """A session of somebody else, on the same database."""
    with app.app_context():
        engine = db.db.engine
    return lambda: Session(engine)


def test_answers_that_come_in_while_the_round_is_closed_are_refused_and_not_lost(
    session, keyring, another
):
    """Asked for before the close, sent after it: the rater must not read that they were sent."""
    round_ = factories.opened(session, keyring)
    factories.all_answer(session, keyring, round_)
    link = factories.links(session, keyring, round_)["peer0"]
    rater = ballots.rater(session, keyring, link, NOW)
    with another() as closer:
        closing.close(closer, keyring, round_.id, CLOSES)
        closer.commit()

    for act in (ballots.start, ballots.send, ballots.decline):
        with pytest.raises(RoundClosed):
            act(session, rater)
        session.rollback()


def test_a_close_waits_for_answers_that_are_just_being_sent(session, keyring, another):
    round_ = factories.opened(session, keyring, roster={"peer": 4})
    links = factories.links(session, keyring, round_)
    for name in ("peer1", "peer2", "peer3"):
        factories.answer(session, keyring, links[name])
    rater = ballots.rater(session, keyring, links["peer0"], NOW)
    ballots.start(session, rater)
    ballots.save(session, rater, factories.Draft(factories.scores()))
    session.commit()
    counted = []

    def close():
        with another() as closer:
            closing.close(closer, keyring, round_.id, CLOSES)
            release = closer.get_one(Release, round_.id)
            counted.append('"n": 4' in release.document)
            closer.commit()

    ballots.send(session, ballots.rater(session, keyring, links["peer0"], NOW))
    thread = threading.Thread(target=close)
    thread.start()
    thread.join(timeout=1)
    assert thread.is_alive()
    session.commit()
    thread.join()
    assert counted == [True]


def test_an_address_that_is_changed_while_its_rater_sends_loses_no_answer(
    session, keyring, another
):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    links = factories.links(session, keyring, round_)
    for name in ("peer1", "peer2"):
        factories.answer(session, keyring, links[name])
    rater = ballots.rater(session, keyring, links["peer0"], NOW)
    ballots.start(session, rater)
    ballots.save(session, rater, factories.Draft(factories.scores()))
    session.commit()

    def change_address():
        with another() as administrator:
            person = people.by_address(administrator, "peer0@example.org")
            entry = people.Entry("Peer", "new@example.org", ())
            people.change(administrator, keyring, person, entry, "en", NOW)
            administrator.commit()

    ballots.send(session, ballots.rater(session, keyring, links["peer0"], NOW))
    thread = threading.Thread(target=change_address)
    thread.start()
    thread.join(timeout=1)
    session.commit()
    thread.join()

    closing.close(session, keyring, round_.id, CLOSES)
    assert '"n": 3' in session.get_one(Release, round_.id).document


def test_of_two_mails_to_one_person_no_two_deliverers_take_one_each(session, another):
    """They would not know of each other, and one person got two mails a day."""
    for each in range(30):
        person = factories.person(session, f"Person{each}")
        for number in range(2):
            mails.queue(session, MailKind.COACH_ACCESS, f"{each}:{number}", person, "en", NOW)
    session.commit()
    in_step = threading.Barrier(4)
    taken = []

    def deliverer():
        with another() as mine:
            for _ in range(5):
                mail = mails.claim(mine, NOW)
                # All that they take at once, each for itself, until all have.
                taken.append(mail.person_id)
                in_step.wait()
                mine.commit()
                in_step.wait()

    at_once([deliverer] * 4)
    rounds = [taken[each : each + 4] for each in range(0, 20, 4)]
    assert all(len(set(each)) == 4 for each in rounds), rounds
