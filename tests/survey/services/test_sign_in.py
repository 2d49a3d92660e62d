"""A mailed code works once, for ten minutes, for five tries, for whom it was mailed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from survey import jobs, sealing
from survey.models import Mail, SignInCode
from survey.services import people, sign_in
from survey.services.people import Entry
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def code(session, keyring, robin):
    """The code in the mail that was just asked for."""
    return lambda: requested(session, keyring, robin.email)


BROWSER = "a browser"


def requested(session, keyring, address, now=NOW, browser=BROWSER) -> str:
    sign_in.request_code(session, keyring, browser, address, "en", now)
    mail = session.scalars(select(Mail).where(Mail.address == address)).all()[-1]
    return sealing.unseal(keyring.mail_pair().private, mail.sealed, sign_in.CODE).decode()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_signs_in_its_owner_once(session, keyring, robin, code):
    typed = code()

    assert re.fullmatch(r"\d{6}", typed)
    assert sign_in.verify(session, keyring, BROWSER, f" {typed[:3]} {typed[3:]} ", NOW) == robin
    assert sign_in.verify(session, keyring, BROWSER, typed, NOW) is None


def test_a_code_dies_after_ten_minutes(session, keyring, robin, code):
    typed = code()

    assert sign_in.verify(session, keyring, BROWSER, typed, NOW + timedelta(minutes=10)) is None


def test_a_code_dies_after_five_wrong_tries(session, keyring, robin, code):
    typed = code()
    for _ in range(5):
        assert sign_in.verify(session, keyring, BROWSER, wrong(typed), NOW) is None

    assert sign_in.verify(session, keyring, BROWSER, typed, NOW) is None


def test_a_new_code_replaces_the_old(session, keyring, robin, code):
    old, new = code(), code()
    if old != new:
        assert sign_in.verify(session, keyring, BROWSER, old, NOW) is None
    assert sign_in.verify(session, keyring, BROWSER, new, NOW) == robin


def test_a_code_works_only_in_the_browser_that_asked_for_it(session, keyring, robin, code):
    typed = code()

    assert sign_in.verify(session, keyring, "another", typed, NOW) is None
    assert sign_in.verify(session, keyring, BROWSER, typed, NOW) == robin


def test_nobody_can_use_up_the_tries_of_another_browser(session, keyring, robin, code):
    """A stranger asks for a code to the same address and guesses."""
    mine = code()
    theirs = requested(session, keyring, robin.email, browser="a stranger's")
    for _ in range(5):
        assert sign_in.verify(session, keyring, "a stranger's", wrong(theirs), NOW) is None
    assert sign_in.verify(session, keyring, "a stranger's", theirs, NOW) is None

    assert sign_in.verify(session, keyring, BROWSER, mine, NOW) == robin


def test_a_code_signs_in_whom_it_was_mailed_to(session, keyring, robin, code):
    sam = factories.person(session, "Sam", "leader")
    typed = requested(session, keyring, sam.email, browser="Sam's")

    assert sign_in.verify(session, keyring, "Sam's", typed, NOW) == sam


def test_codes_that_expired_are_forgotten(session, keyring, robin, code):
    code()
    requested(session, keyring, robin.email, NOW + timedelta(minutes=10), "another")

    assert len(session.scalars(select(SignInCode)).all()) == 1


@pytest.mark.parametrize("address", ["nobody@example.org", "not an address", "peer@example.org"])
def test_nobody_else_gets_a_code(session, keyring, address):
    """A rater without a role, a stranger, nonsense: no mail, and no word about it."""
    factories.person(session, "Peer")
    sign_in.request_code(session, keyring, BROWSER, address, "en", NOW)

    assert session.scalars(select(Mail)).all() == []


def test_whoever_was_made_inactive_cannot_sign_in(session, keyring, robin, code):
    typed = code()
    robin.active = False
    session.flush()

    assert sign_in.verify(session, keyring, BROWSER, typed, NOW) is None


def test_the_database_does_not_hold_the_code(app, session, keyring, robin, code, settings):
    typed = code()
    session.commit()

    stored = session.scalars(select(SignInCode)).one()
    assert typed.encode() not in stored.digest
    session.close()
    jobs.sweep(app)
    assert session.scalars(select(Mail)).one().sealed is None


def test_a_new_address_needs_a_new_code(session, keyring, robin, code):
    asked = code()
    entry = Entry("Robin", "new@example.org", ["leader"])
    people.change(session, keyring, robin, entry, "en", NOW)

    assert sign_in.verify(session, keyring, BROWSER, asked, NOW) is None


def test_signing_out_ends_every_session(session, robin):
    before = robin.session_key
    sign_in.sign_out(session, robin)

    assert robin.session_key != before


def test_an_unknown_address_costs_as_much_as_a_known_one(session, keyring, robin, app):
    """The time it takes must not tell who is known: the same statements, but for the mail's."""
    done = []
    session.commit()
    event.listen(session.get_bind(), "before_cursor_execute", lambda *of: done.append(of[2][:30]))

    def statements(address):
        done.clear()
        sign_in.request_code(session, keyring, f"browser of {address}", address, "en", NOW)
        session.commit()
        return list(done)

    statements("warming.up@example.org")
    known, unknown = statements(robin.email), statements("nobody@example.org")
    assert [each for each in known if not each.startswith("INSERT INTO mail")] == unknown
    assert len(known) - len(unknown) == 1
    assert len(session.scalars(select(Mail)).all()) == 1


def test_a_code_for_nobody_signs_nobody_in(session, keyring, robin):
    sign_in.request_code(session, keyring, BROWSER, "nobody@example.org", "en", NOW)
    [stored] = session.scalars(select(SignInCode)).all()
    assert stored.person_id is None
    for code in range(1_000_000):
        if sign_in._digest(keyring, BROWSER, f"{code:06}") == stored.digest:
            break

    assert sign_in.verify(session, keyring, BROWSER, f"{code:06}", NOW) is None
