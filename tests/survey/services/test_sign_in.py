"""A mailed code works once, for ten minutes, for five tries, for whom it was mailed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

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


def requested(session, keyring, address, now=NOW) -> str:
    sign_in.request_code(session, keyring, address, "en", now)
    mail = session.scalars(select(Mail).where(Mail.address == address)).all()[-1]
    return sealing.unseal(keyring.mail_pair().private, mail.sealed, sign_in.CODE).decode()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_signs_in_its_owner_once(session, keyring, robin, code):
    typed = code()

    assert re.fullmatch(r"\d{6}", typed)
    assert (
        sign_in.verify(session, keyring, "ROBIN@example.org", f" {typed[:3]} {typed[3:]} ", NOW)
        == robin
    )
    assert sign_in.verify(session, keyring, robin.email, typed, NOW) is None


def test_a_code_dies_after_ten_minutes(session, keyring, robin, code):
    typed = code()

    assert sign_in.verify(session, keyring, robin.email, typed, NOW + timedelta(minutes=10)) is None


def test_a_code_dies_after_five_wrong_tries(session, keyring, robin, code):
    typed = code()
    for _ in range(5):
        assert sign_in.verify(session, keyring, robin.email, wrong(typed), NOW) is None

    assert sign_in.verify(session, keyring, robin.email, typed, NOW) is None


def test_a_new_code_replaces_the_old(session, keyring, robin, code):
    old, new = code(), code()
    if old != new:
        assert sign_in.verify(session, keyring, robin.email, old, NOW) is None
    assert sign_in.verify(session, keyring, robin.email, new, NOW) == robin


def test_a_code_does_not_work_for_somebody_else(session, keyring, robin, code):
    sam = factories.person(session, "Sam", "leader")
    robins, sams = code(), requested(session, keyring, sam.email)
    while robins == sams:
        robins = code()

    assert sign_in.verify(session, keyring, sam.email, robins, NOW) is None


@pytest.mark.parametrize("address", ["nobody@example.org", "not an address", "peer@example.org"])
def test_nobody_else_gets_a_code(session, keyring, address):
    """A rater without a role, a stranger, nonsense: no mail, and no word about it."""
    factories.person(session, "Peer")
    sign_in.request_code(session, keyring, address, "en", NOW)

    assert session.scalars(select(Mail)).all() == []


def test_whoever_was_made_inactive_cannot_sign_in(session, keyring, robin, code):
    typed = code()
    robin.active = False
    session.flush()

    assert sign_in.verify(session, keyring, robin.email, typed, NOW) is None


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

    assert sign_in.verify(session, keyring, "new@example.org", asked, NOW) is None


def test_signing_out_ends_every_session(session, robin):
    before = robin.session_key
    sign_in.sign_out(session, robin)

    assert robin.session_key != before
