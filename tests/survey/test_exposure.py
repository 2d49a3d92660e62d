"""What the database would tell is said, and what should not be in it is found."""

import shutil
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from survey import create_app, db, exposure
from survey.models import Answered, Ballot, Invitation, Nomination
from survey.services import closing, custody, rounds
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW, installation, on_sqlite
from tests.postgres import Cluster


@pytest.fixture
def said(app, session):
    """What has to be mended."""
    site = app.extensions[EXTENSION]

    def look():
        findings = exposure.look(site, session)
        session.rollback()
        return [finding.found for finding in findings if finding.cure]

    return look


@pytest.fixture
def story(session, keyring):
    """A released round, one without preview, and an open one with answers."""
    for name, roster in (("Robin", {"peer": 4}), ("Sam", {"peer": 3}), ("Kim", {"peer": 5})):
        leader = factories.person(session, name, "leader")
        round_ = factories.opened(session, keyring, leader=leader, roster=roster)
        factories.all_answer(session, keyring, round_)
        if name == "Robin":
            closing.close(session, keyring, round_.id, CLOSES)
            ended = round_
        elif name == "Sam":
            rounds.void(session, round_, NOW)
        session.commit()
    custody.destroy_keys(session, keyring)
    session.commit()
    return ended, round_


def test_an_installation_as_it_runs_holds_nothing_that_should_not_be_there(said, story):
    assert said() == []


def test_it_says_what_there_is_and_not_how_far_a_round_is(session, story):
    _, collecting = story
    before = exposure.learnt(session)
    assert [sentence.split(":")[0] for sentence in before[:5]] == [
        "8 people",
        "15 times that somebody is or was asked about a leader",
        "1 open rounds",
        "1 rounds without preview",
        "1 previews, readable whole, as their leaders read them",
    ]

    for invitation in session.scalars(select(Invitation)):
        invitation.answered = Answered.NOT_YET
    for ballot in session.scalars(select(Ballot).where(Ballot.round_id == collecting.id)):
        session.delete(ballot)
    session.flush()
    assert exposure.learnt(session) == before


PLANTED = {
    "ALTER TABLE ballot ADD COLUMN noted_at TEXT": "The column ballot.noted_at",
    "ALTER TABLE invitation ADD COLUMN handle TEXT": "The column invitation.handle",
    "CREATE TABLE shadow (who TEXT, at TEXT)": "The table shadow",
}


@pytest.mark.parametrize("statement", PLANTED)
def test_what_somebody_added_to_the_tables_is_found(session, said, statement):
    session.execute(sa.text(statement))
    session.commit()

    [found] = said()
    assert found.startswith(PLANTED[statement])


def test_a_trigger_is_found(session, said, database):
    if database == "sqlite":
        made = "CREATE TRIGGER noting AFTER INSERT ON ballot BEGIN SELECT 1; END"
    else:
        session.execute(
            sa.text(
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NEW; END $$"
            )
        )
        made = "CREATE TRIGGER noting AFTER INSERT ON ballot EXECUTE FUNCTION note()"
    session.execute(sa.text(made))
    session.commit()

    [found] = said()
    assert found.startswith("The trigger or rule noting")


def test_ballots_of_another_size_are_found(session, said, story):
    _, collecting = story
    ballot = session.scalars(select(Ballot).where(Ballot.round_id == collecting.id)).first()
    ballot.resume = ballot.resume + b"x"
    session.commit()

    assert said() == [
        f"Round {collecting.id} holds ballots of different sizes: somebody has put in others."
    ]


def test_what_is_left_of_an_ended_round_is_found(session, said, story):
    ended, _ = story
    session.add(Ballot(round_id=ended.id, handle=b"h" * 32, sealed=b"s", resume=b"r"))
    nomination = session.scalars(select(Nomination).where(Nomination.round_id == ended.id)).first()
    session.add(
        Invitation(nomination_id=nomination.id, lookup=uuid4().bytes, sealed_token=b"sealed")
    )
    session.commit()

    assert said() == [
        "1 ballots are left of rounds that have ended.",
        "1 links are left of rounds that have ended.",
    ]


@on_sqlite
def test_a_copy_beside_the_database_is_found(said, settings):
    file = settings.database_file()
    shutil.copy(file, file.parent / "before-the-upgrade.db")

    [found] = said()
    assert "before-the-upgrade.db lies beside the database" in found


def test_a_server_that_notes_every_change_is_found(tmp_path):
    """Times of commits and statements in a log would tell who answered when."""
    cluster = Cluster("track_commit_timestamp = on\nlog_statement = mod\n")
    cluster.start()
    settings = installation(tmp_path, database_url=cluster.create("noting"))
    app = create_app(settings)
    with app.app_context():
        db.db.create_all()
        found = [each.found for each in exposure.look(app.extensions[EXTENSION], db.session())]
        db.db.session.remove()
        db.db.engine.dispose()
    cluster.stop()

    assert [each.split(" (")[0] for each in found] == [
        "PostgreSQL notes the time of every commit",
        "PostgreSQL writes every change into its log",
    ]
