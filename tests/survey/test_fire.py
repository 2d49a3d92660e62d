"""Closing under fire: killed anywhere, raced, without room, under a clock that jumps.

In every case the round is still open and sealed, or ended whole with no key left.
"""

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from reports.release import sha256
from survey import create_app, db, jobs
from survey.keyring import Keyring
from survey.models import Ballot, Invitation, Release, Round, RoundState
from survey.services import ballots, closing
from survey.services.ballots import LinkUnknown
from survey.services.closing import NotDue
from tests import factories
from tests.conftest import CLOSES, NOW, installation, on_sqlite
from tests.launching import launched

ROSTER = {"peer": 4, "manager": 1}


@pytest.fixture(scope="module")
def launcher():
    """Processes that do what they are told, and die where they are told to."""
    with launched("tests.survey.fire") as order:
        yield order


class Place:
    """An installation with one open round in which everybody has answered."""

    def __init__(self, folder, url, round_id):
        self.folder, self.url, self.round_id = folder, url, round_id
        self.keyring = Keyring(folder / "keyring")
        self.settings = {"database_url": url, "keyring": str(folder / "keyring")}

    def session(self) -> Session:
        # Without a pool nothing stays open in the copy.
        return Session(create_engine(self.url, poolclass=NullPool))

    def order(self, act="close", now=CLOSES):
        return {
            "act": act,
            "settings": self.settings,
            "round": str(self.round_id),
            "now": now.isoformat(),
        }

    def sweep(self, now=CLOSES) -> None:
        app = create_app(installation(self.folder, **self.settings), clock=lambda: now)
        jobs.sweep(app)
        with app.app_context():
            db.db.engine.dispose()


@pytest.fixture
def original(session, keyring, settings, tmp_path, app):
    """The installation that is copied for each death."""
    round_ = factories.opened(session, keyring, roster=ROSTER)
    factories.all_answer(session, keyring, round_)
    round_id = round_.id
    session.close()
    with app.app_context():
        db.db.engine.dispose()
    return Place(tmp_path, settings.database_url, round_id)


@pytest.fixture
def copies(original, tmp_path, databases):
    """Make copies of the installation; all are removed in the end."""
    made = []

    def copy() -> Place:
        folder = tmp_path / f"copy{len(made)}"
        folder.mkdir()
        url = databases.copy(original.url, folder / "data")
        shutil.copytree(original.folder / "keyring", folder / "keyring")
        made.append(url)
        return Place(folder, url, original.round_id)

    yield copy
    for url in made:
        databases.drop(url)


def sealed_or_whole(place: Place) -> RoundState:
    """Return a round's state; assert that it is one of the two that may be."""
    with place.session() as session:
        round_ = session.get_one(Round, place.round_id)
        ballots_there = session.scalars(select(Ballot)).all()
        links = session.scalars(select(Invitation)).all()
        release = session.get(Release, place.round_id)
        if round_.state is RoundState.OPEN:
            assert len(ballots_there) == len(links) == 6
            assert release is None
            assert place.keyring.ballot_key(place.round_id)
            assert place.keyring.round_keys(place.round_id)
        else:
            assert not ballots_there
            assert not links
            if round_.state is RoundState.RELEASED:
                assert release is not None
                assert release.sha256 == sha256(release.document)
            else:
                assert round_.state is RoundState.VOID
                assert release is None
        return round_.state


@pytest.mark.parametrize("act", ["close", "void"])
@pytest.mark.parametrize("lane", [0, 1], ids=["even steps", "odd steps"])
def test_killed_after_any_step_it_is_sealed_or_whole_and_can_be_run_again(
    act, lane, copies, launcher
):
    """In two lanes, so that two cores share the longest test of all."""
    seen, step = [], lane
    while True:
        place = copies()
        [told] = launcher(**place.order(act), die_after=step)
        seen.append(sealed_or_whole(place))
        if told != "killed":
            break
        if seen[-1] is RoundState.OPEN:
            [again] = launcher(**place.order(act))
            assert again.isdigit(), again
        else:
            place.sweep()
        assert sealed_or_whole(place) is not RoundState.OPEN
        assert place.keyring.rounds() == []
        step += 2

    assert int(told) in (step, step - 1)
    # Many deaths before the commit and several after it; never back again.
    assert seen.count(RoundState.OPEN) > 5
    ended = [state is not RoundState.OPEN for state in seen]
    assert ended == sorted(ended)
    assert ended.count(True) > 2


def test_of_many_closing_processes_one_wins(copies, launcher):
    place = copies()
    told = launcher(**place.order(), times=6)

    assert sorted(word for word in told if not word.isdigit()) == ["NotDue"] * 5
    assert sealed_or_whole(place) is RoundState.RELEASED
    assert place.keyring.rounds() == []


@on_sqlite
def test_on_a_full_disk_it_is_sealed_or_whole_and_closes_once_there_is_room(copies, launcher):
    """The log's index takes 32 KiB; from there on, some pages more each time."""
    seen = []
    for room in range(32_768, 900_000, 48_000):
        place = copies()
        [told] = launcher(**place.order(), room=room)
        seen.append((told.isdigit(), sealed_or_whole(place)))

        if seen[-1][1] is RoundState.OPEN:
            assert told == "OperationalError"
            [again] = launcher(**place.order())
            assert again.isdigit()
        place.sweep()
        assert sealed_or_whole(place) is RoundState.RELEASED
        assert place.keyring.rounds() == []

    states = [state for _, state in seen]
    # Without room it stays sealed; with room for the close, but none for scrubbing, it is whole.
    assert states.count(RoundState.OPEN) > 3
    assert states.count(RoundState.RELEASED) > 3


def test_a_clock_that_jumps_ahead_or_back_opens_nothing_twice(original):
    """Ahead: the round closes whole. Back again: it stays closed, and its links are dead."""
    with original.session() as session:
        round_ = session.get_one(Round, original.round_id)
        link = factories.links(session, original.keyring, round_)["peer0"]
        with pytest.raises(NotDue):
            closing.close(session, original.keyring, round_.id, NOW - timedelta(days=400))
        session.rollback()
        assert sealed_or_whole(original) is RoundState.OPEN

        original.sweep(CLOSES + timedelta(days=4000))
        assert sealed_or_whole(original) is RoundState.RELEASED

        session.expire_all()
        with pytest.raises(LinkUnknown):
            ballots.rater(session, original.keyring, link, NOW)
        session.rollback()
        original.sweep(NOW - timedelta(days=400))
        assert sealed_or_whole(original) is RoundState.RELEASED
    assert original.keyring.rounds() == []


# What the close writes on PostgreSQL: table and kind of statement.
WRITES = (
    ("round", "UPDATE"),
    ("release", "INSERT"),
    ("ballot", "DELETE"),
    ("invitation", "DELETE"),
    ("mail", "INSERT"),
    ("audit_entry", "INSERT"),
)


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize("when", ["at once", "at the commit"])
@pytest.mark.parametrize(("table", "kind"), WRITES)
def test_where_the_server_reports_a_full_disk_it_stays_sealed_and_closes_once_there_is_room(
    copies, launcher, table, kind, when
):
    """PostgreSQL itself refuses, with the state 53100, as when no block can be written."""
    place = copies()
    deferred = "DEFERRABLE INITIALLY DEFERRED" if when == "at the commit" else ""
    constraint = "CONSTRAINT" if when == "at the commit" else ""
    moment = "AFTER" if when == "at the commit" else "BEFORE"
    for statement in (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
        f"CREATE {constraint} TRIGGER full_disk {moment} {kind} ON {table} {deferred} "
        "FOR EACH ROW EXECUTE FUNCTION full_disk()",
    ):
        with place.session() as session:
            session.execute(text(statement))
            session.commit()
    [told] = launcher(**place.order())
    assert told == "OperationalError"
    assert sealed_or_whole(place) is RoundState.OPEN

    with place.session() as session:
        session.execute(text(f"DROP TRIGGER full_disk ON {table}"))
        session.commit()
    [told] = launcher(**place.order())
    assert told.isdigit()
    assert sealed_or_whole(place) is RoundState.RELEASED
