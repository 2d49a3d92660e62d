"""The doctor finds what could harm raters, names the cure, and changes nothing."""

from uuid import uuid4

import pytest
from sqlalchemy import delete

from survey import sealing, trustee_key
from survey.bell import Bell
from survey.doctor import custody_level, examine
from survey.keyring import Keyring, Side
from survey.models import BallotKey, Trustee
from survey.services import closing, custody, trustees
from survey.site import EXTENSION
from tests import factories
from tests.attacks.custody import two_sides
from tests.conftest import CLOSES, NOW, on_sqlite


@pytest.fixture
def said(app, session, settings):
    """What it says when it looks."""
    site = app.extensions[EXTENSION]
    site.settings = settings.model_copy(update={"base_url": "https://feedback.example.org"})

    def look():
        session.commit()
        findings = examine(site, session)
        session.rollback()
        return [f"{finding.found} {finding.cure}" for finding in findings if finding.cure]

    return look


@pytest.fixture
def round_(session, keyring):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    factories.all_answer(session, keyring, round_)
    return round_


def test_an_installation_as_it_is_made_needs_nothing(said, round_):
    assert said() == []


@pytest.mark.parametrize("spoilt", ["", "secret", "rounds/{}/keys", "ballots/{}"])
def test_a_keyring_that_others_may_read_is_found(said, round_, keyring, spoilt):
    path = keyring.path / spoilt.format(round_.id)
    path.chmod(0o750)

    [trouble] = said()
    assert str(path) in trouble
    assert "chmod go=" in trouble


def test_a_database_in_the_keyring_is_found(app, said, settings, keyring):
    site = app.extensions[EXTENSION]
    site.settings = site.settings.model_copy(
        update={"database_url": f"sqlite:///{keyring.path}/preview360.db"}
    )
    file = site.settings.database_file()
    file.touch(mode=0o600)

    [trouble] = said()
    assert f"The database {file} lies in the keyring" in trouble


def test_keys_left_of_a_closed_round_are_found(said, round_, session, keyring):
    closing.close(session, keyring, round_.id, CLOSES)

    of_links, of_ballots = said()
    for trouble in (of_links, of_ballots):
        assert str(round_.id) in trouble
        assert "has ended" in trouble

    custody.destroy_keys(session, keyring)
    custody.forget(session, keyring, round_.id)
    assert said() == []


def test_keys_of_a_round_that_is_not_in_this_database_are_found(said, keyring):
    for folder in ("rounds", "rounds/6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        (keyring.path / folder).mkdir(mode=0o700)

    [trouble] = said()
    assert "6ba7b810" in trouble
    assert "right database" in trouble


def test_an_open_round_without_its_key_is_found(said, round_, keyring):
    (keyring.path / "ballots" / str(round_.id)).unlink()
    [trouble] = said()
    assert f"is open, and its keys are not there: {keyring.path}/ballots/" in trouble

    (keyring.path / "rounds" / str(round_.id) / "keys").unlink()
    assert f"is open, and its keys are not there: {keyring.path}/rounds/" in said()[0]


@on_sqlite
def test_a_database_that_others_may_read_is_found(said, settings):
    file = settings.database_file()
    file.chmod(0o644)
    assert said() == []

    file.parent.chmod(0o755)
    [trouble] = said()
    assert str(file) in trouble


def test_rounds_that_nobody_closes_are_found(said, round_, clock):
    clock.now = CLOSES
    assert said() == []

    clock.forward(hours=2)
    [trouble] = said()
    assert "1 rounds wait to be closed" in trouble


def test_settings_that_leave_raters_unprotected_are_found(app, said, settings):
    app.extensions[EXTENSION].settings = settings.model_copy(update={"mail_url": ""})

    assert ["https" in each for each in said()] == [False, True]


def test_it_says_who_must_work_together_to_open_a_ballot(app, session, keyring):
    site = app.extensions[EXTENSION]
    assert "Custody: together" in custody_level(site, session)[0]
    assert "No trustee" in custody_level(site, session)[1]

    person, pair = factories.person(session, "Council"), sealing.new_key_pair()
    trustees.appoint(session, keyring, person, pair.public, NOW)
    assert "the key that Council Example keeps" in custody_level(site, session)[1]
    assert trustee_key.fingerprint(pair.public) in custody_level(site, session)[1]


def test_a_ballot_key_that_the_database_does_not_know_is_found(said, keyring):
    keyring.make_ballot_key(uuid4())

    [trouble] = said()
    assert "holds 1 keys that this database does not know" in trouble


@on_sqlite
@pytest.mark.parametrize("side", list(Side))
def test_a_database_shared_with_a_group_is_fine_only_for_two_sides(said, settings, keyring, side):
    keyring.side = side
    file = settings.database_file()
    file.parent.chmod(0o770)
    file.chmod(0o660)

    assert bool([each for each in said() if "can be read by other users" in each]) == (
        side is Side.BOTH
    )


@pytest.mark.parametrize(
    ("side", "foreign"), [(Side.WEB, ["ballots", "signing"]), (Side.CLOSING, ["rounds", "secret"])]
)
def test_what_belongs_to_the_other_side_is_found(said, keyring, round_, side, foreign):
    """An installation that ran as one, and was parted by its setting only."""
    keyring.side = side

    troubles = said()
    for name in foreign:
        assert [each for each in troubles if f"{keyring.path / name} belongs to the other" in each]


def test_ballot_keys_of_another_closing_side_are_found(app, said, session, keyring):
    web, closes = two_sides(keyring)
    _, stranger = two_sides(Keyring(keyring.path / "elsewhere"))
    custody.restock(session, closes)
    app.extensions[EXTENSION].keyring = web
    assert said() == []

    session.execute(delete(BallotKey))
    custody.restock(session, stranger)
    mismatch, none_ready = said()
    assert "1 ballot keys in the database do not come from a closing side" in mismatch
    assert "No ballot key is ready" in none_ready

    (web.path / "shared").unlink()
    [trouble] = said()
    assert "Copy the file `shared`" in trouble


def test_a_trustee_whom_nobody_appointed_here_is_said_and_stops_no_finding(app, session, keyring):
    person, pair = factories.person(session, "Mallory"), sealing.new_key_pair()
    session.add(Trustee(person_id=person.id, public=pair.public, signature=b"s" * 64))
    session.flush()

    level = custody_level(app.extensions[EXTENSION], session)
    assert "was not added here" in level[1]
    assert examine(app.extensions[EXTENSION], session)


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "sqlite:////dev/null/queue.db"])
def test_a_queue_that_nobody_reaches_is_found(app, said, url):
    app.extensions[EXTENSION].bell = Bell(url, ["deliver"])

    [trouble] = said()
    assert "cannot be used" in trouble
    assert "secret" not in trouble
