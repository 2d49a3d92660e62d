"""Somebody whom several leaders ask: one page lists what is open, in a language of their own."""

import shutil

import pytest
from sqlalchemy import delete, select

from survey.models import Ballot, Invitation, Nomination
from survey.services import closing, people
from tests import factories
from tests.conftest import CLOSES
from tests.visitor import Visitor


@pytest.fixture
def rounds(session, keyring):
    """Three leaders ask the same peers; Terry's round closes first."""
    leaders = [factories.person(session, name, "leader") for name in ("Robin", "Sam", "Terry")]
    found = [factories.opened(session, keyring, leader=leader) for leader in leaders]
    found[2].closes_at = CLOSES.replace(day=10)
    session.commit()
    return found


@pytest.fixture
def peer(app, session, keyring, rounds):
    visitor = Visitor(app)
    visitor.open(f"/r/{factories.links(session, keyring, rounds[0])['peer0']}")
    session.close()
    return visitor


def asked_too(page):
    _, _, rest = page.partition("You are asked here, too")
    return [part.split("<")[0] for part in rest.split("Feedback for ")[1:]]


def test_the_start_page_lists_what_else_is_open_the_nearest_day_first(peer):
    assert asked_too(peer.page) == ["Terry Example", "Sam Example"]
    assert "Open until the end of 9 November 2026." in peer.page


def test_each_line_leads_to_that_leaders_start_page(peer, session, keyring, rounds):
    path = factories.links(session, keyring, rounds[1])["peer0"]
    session.close()

    assert f'href="/r/{path}"' in peer.page
    assert "Sam Example asks for your view" in peer.open(f"/r/{path}")


def test_the_list_says_what_was_sent_and_what_was_declined(peer, app, session, keyring, rounds):
    factories.answer(session, keyring, factories.links(session, keyring, rounds[1])["peer0"])
    link = factories.links(session, keyring, rounds[2])["peer0"]
    session.close()
    other = Visitor(app)
    other.open(f"/r/{link}")
    other.send(action="/decline")
    peer.open(peer.address)

    assert "Sent and sealed." in peer.page
    assert "You said that you would rather not." in peer.page


def test_the_thank_you_page_lists_them_again(peer, session, keyring, rounds):
    link = factories.links(session, keyring, rounds[0])["peer0"]
    factories.answer(session, keyring, link)
    session.close()

    assert asked_too(peer.open(f"/r/{link}/thanks")) == ["Terry Example", "Sam Example"]


def test_nobody_sees_what_others_are_asked_or_what_has_closed(
    app, session, keyring, rounds, peer, clock
):
    fresh = factories.person(session, "Quinn")
    session.add(Nomination(round_id=rounds[0].id, person_id=fresh.id, relationship="peer"))
    factories.all_answer(session, keyring, rounds[1])
    closing.close(session, keyring, rounds[1].id, CLOSES)
    session.commit()
    clock.now = rounds[2].closes_at
    peer.open(peer.address)

    assert asked_too(peer.page) == []


def test_a_link_made_for_somebody_else_is_not_handed_over(peer, session, rounds):
    """Whoever writes into the database must not collect links under another name."""
    peer0, peer1 = (people.by_address(session, f"peer{n}@example.org") for n in (0, 1))
    [own, others] = (
        session.scalar(select(Nomination).filter_by(round_id=rounds[1].id, person_id=person.id))
        for person in (peer0, peer1)
    )
    session.execute(delete(Invitation).where(Invitation.nomination_id == own.id))
    session.delete(own)
    session.flush()
    others.person_id = peer0.id
    session.commit()
    session.close()
    peer.open(peer.address)

    assert (peer.status, asked_too(peer.page)) == (200, ["Terry Example"])


def test_a_round_whose_keys_are_away_keeps_nobody_from_the_others(peer, keyring, rounds):
    shutil.rmtree(next(path for path in keyring.path.rglob(str(rounds[1].id)) if path.is_dir()))
    peer.open(peer.address)

    assert (peer.status, asked_too(peer.page)) == (200, ["Terry Example"])


def test_a_rater_chooses_the_language_and_no_row_knows_it(peer, session):
    peer.send(action="/start")
    peer.open(peer.address.replace("/part/1", ""))
    before = [(each.sealed, each.resume) for each in session.query(Ballot)]
    session.close()
    page = peer.send({"language": "de"}, action="/language")

    assert '<html lang="de"' in page
    assert "Robin Example bittet um Ihre Sicht" in page
    assert '<html lang="de"' in peer.open(peer.address + "/part/1")
    assert [(each.sealed, each.resume) for each in session.query(Ballot)] == before


@pytest.mark.parametrize("language", ["fr", "", "../de"])
def test_a_language_that_the_questionnaire_does_not_have_is_not_taken(peer, language):
    assert '<html lang="en"' in peer.send({"language": language}, action="/language")


def test_leaders_answer_in_the_language_in_which_their_words_are_printed(
    app, session, keyring, rounds
):
    visitor = Visitor(app)
    visitor.open(f"/r/{factories.links(session, keyring, rounds[0])['peer0']}")
    visitor.send({"language": "de"}, action="/language")
    page = visitor.open(f"/r/{factories.links(session, keyring, rounds[0])['robin']}")

    assert '<html lang="en"' in page
    assert 'name="language"' not in page
