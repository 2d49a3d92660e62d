"""What has been kept long enough goes, a person goes whole, and open rounds lose nothing."""

import sqlite3
from datetime import UTC, timedelta

import pytest
from sqlalchemy import MetaData, select, update

from survey import jobs
from survey.models import (
    AuditEntry,
    Ballot,
    BallotKey,
    CoachAccess,
    Mail,
    MailState,
    Nomination,
    Person,
    Plan,
    Pulse,
    Release,
    Round,
    RoundState,
    Team,
)
from survey.services import coaching, custody, people, practices, pulses, retention, rounds, teams
from survey.services.people import Entry
from survey.services.practices import Written
from survey.services.retention import Keep, NotErasable
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.visitor import Visitor

KEEP = Keep(previews=1000, records=400)
# Released on 17 November 2026: the preview goes on the thousandth day after it.
PREVIEW_GOES = CLOSES + timedelta(days=1000)
RECORDS_GO = CLOSES + timedelta(days=400)


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def release(session, keyring, robin):
    release = factories.released(session, keyring, robin)
    retention_ready(session, keyring)
    return release


def retention_ready(session, keyring):
    """Destroy keys of ended rounds, as the worker does after each close."""
    for round_id in custody.destroy_keys(session, keyring):
        custody.forget(session, keyring, round_id)
    session.commit()


def all_sent(session):
    session.execute(update(Mail).values(state=MailState.SENT))
    session.commit()


def test_a_preview_goes_on_its_day_with_plan_and_pulses_and_not_a_day_earlier(
    session, keyring, release
):
    plan = practices.choose(session, release, ["MM1"], NOW.date())
    practices.write(session, plan, Written({"MM1": "hands over"}))
    for pulse in pulses.plan_pulses(session, plan, NOW, UTC):
        rounds.end(session, pulse.round, RoundState.VOID)
    session.commit()

    day_before = PREVIEW_GOES - timedelta(days=1)
    assert retention.going(session, KEEP, day_before).releases == ()
    retention.tidy(session, KEEP, day_before)
    session.commit()
    assert retention.going(session, KEEP, PREVIEW_GOES).releases == (release,)
    assert retention.tidy(session, KEEP, PREVIEW_GOES)
    session.commit()
    for table in (Release, Round, Plan, Pulse, Nomination):
        assert session.scalars(select(table)).all() == []


def test_a_preview_whose_pulse_is_out_waits_for_it(session, keyring, release):
    plan = practices.choose(session, release, ["MM1"], NOW.date())
    practices.write(session, plan, Written({"MM1": "hands over"}))
    pulse, _ = pulses.plan_pulses(session, plan, NOW, UTC)
    pulses.open_pulse(session, keyring, pulse, NOW, UTC)
    retention.tidy(session, KEEP, PREVIEW_GOES)

    assert session.get(Release, release.round_id) is not None
    assert len(session.scalars(select(Nomination)).all()) == 11


def test_a_team_report_goes_with_the_first_of_its_previews(session, keyring, release):
    team = factories.team(session, keyring, release)
    retention_ready(session, keyring)
    assert retention.going(session, KEEP, PREVIEW_GOES).teams == (team,)
    early = Keep(previews=999, records=0)
    session.execute(
        update(Release)
        .where(Release.round_id != release.round_id)
        .values(released_on=CLOSES.date() + timedelta(days=500))
    )
    retention.tidy(session, early, PREVIEW_GOES)

    assert session.scalars(select(Team)).all() == []
    assert len(session.scalars(select(Release)).all()) == 4


def test_records_go_on_their_day_and_previews_stay(session, keyring, robin, release):
    all_sent(session)
    coming = retention.going(session, KEEP, RECORDS_GO)
    assert (coming.rosters, coming.releases) == (1, ())
    assert coming.mails == len(session.scalars(select(Mail)).all())
    retention.tidy(session, KEEP, RECORDS_GO - timedelta(seconds=1))
    assert len(session.scalars(select(Nomination)).all()) == 6
    retention.tidy(session, KEEP, RECORDS_GO)

    for table in (Nomination, Mail, AuditEntry):
        assert session.scalars(select(table)).all() == []
    assert session.get(Release, release.round_id) is not None


def test_a_round_without_a_preview_goes_with_the_records(session, keyring, robin):
    round_ = factories.opened(session, keyring, leader=robin, roster={"peer": 5})
    rounds.void(session, round_, NOW)
    session.commit()
    retention.tidy(session, KEEP, RECORDS_GO)
    assert session.scalars(select(Round.id)).all() == [round_.id]
    retention_ready(session, keyring)
    retention.tidy(session, KEEP, RECORDS_GO)

    assert session.scalars(select(Round)).all() == []


def test_nothing_of_an_open_round_goes_however_old_it_is(session, keyring, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    factories.all_answer(session, keyring, round_)
    all_sent(session)
    session.execute(update(AuditEntry).values(at=NOW + timedelta(days=9000)))
    before = {table: len(session.scalars(select(table)).all()) for table in (Mail, Ballot)}

    assert not retention.tidy(session, KEEP, NOW + timedelta(days=5000))
    assert {table: len(session.scalars(select(table)).all()) for table in before} == before
    assert before[Mail] == before[Ballot] == 11


def test_with_zero_nothing_goes_by_itself(session, release):
    assert not retention.tidy(session, Keep(0, 0), NOW + timedelta(days=30_000))


def test_the_worker_deletes_it_once_a_day(app, session, release, clock):
    session.close()
    clock.now = CLOSES + timedelta(days=1096)
    jobs.sweep(app)

    assert session.scalars(select(Release)).all() == []


def everything(session):
    """Every value in every table, as one text."""
    metadata = MetaData()
    metadata.reflect(session.connection())
    rows = [row for table in metadata.sorted_tables for row in session.execute(select(table))]
    return str([tuple(row) for row in rows])


def test_a_leader_is_erased_whole_and_others_keep_what_is_theirs(session, keyring, release, robin):
    casey = factories.person(session, "Casey", "coach")
    coaching.give_access(session, robin, casey.id, "en", NOW)
    factories.prepared(session, leader=robin, roster={"manager": 1})
    team = factories.team(session, keyring, release)
    retention_ready(session, keyring)
    of = retention.of_person(session, robin)
    assert (len(of.rounds), of.teams, of.coached, of.obstacles) == (2, (team,), 1, ())
    assert "robin@example.org" in everything(session)
    retention.erase(session, robin, NOW)
    session.commit()

    left = everything(session)
    assert "robin@example.org" not in left
    assert "Robin Example" not in left
    assert session.scalars(select(CoachAccess)).all() == []
    assert len(session.scalars(select(Release)).all()) == 4
    acts = session.scalars(select(AuditEntry.act)).all()
    assert acts[-1] == "person erased"


def test_a_rater_is_erased_and_the_previews_stay_as_they_are(session, release):
    digest = release.sha256
    peer = people.by_address(session, "peer0@example.org")
    assert retention.of_person(session, peer).asked_in == 1
    retention.erase(session, peer, NOW)
    session.commit()

    assert "peer0@example.org" not in everything(session)
    assert session.get(Release, release.round_id).sha256 == digest


def test_an_address_within_another_one_is_left_alone_in_the_audit_list(session):
    for name in ("Ann", "Joann"):
        factories.person(session, name)
    retention.erase(session, people.by_address(session, "ann@example.org"), NOW)
    session.commit()

    subjects = session.scalars(select(AuditEntry.subject)).all()
    assert "joann@example.org" in subjects
    assert "ann@example.org" not in subjects


def test_a_former_address_goes_from_the_audit_list_too(session, keyring, robin):
    factories.prepared(session, leader=robin, roster={"manager": 1})
    entry = Entry(robin.name, "robin.former@example.org", ["leader"])
    people.change(session, keyring, robin, entry, "en", NOW)
    entry = Entry(robin.name, "robin.now@example.org", ["leader"])
    people.change(session, keyring, robin, entry, "en", NOW)
    session.commit()
    assert "robin@example.org" in everything(session)
    retention.erase(session, robin, NOW)
    session.commit()

    left = everything(session)
    assert "robin" not in left.lower()


@on_sqlite
def test_what_a_reader_kept_in_the_files_goes_with_the_next_day(
    app, session, robin, settings, stored, clock
):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    robin_id = robin.id
    session.close()
    visitor = Visitor(app, andy)
    visitor.open(f"/administration/people/{robin_id}/erase")
    reader = sqlite3.connect(settings.database_file())
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM person").fetchone()
    page = visitor.send({"sure": "y"})
    assert "traces are still in the database's files" in page.replace("&#39;", "'")
    assert b"robin@example.org" in stored()

    reader.close()
    clock.forward(days=1)
    jobs.sweep(app)
    assert b"robin@example.org" not in stored()


def test_nobody_is_erased_out_of_an_open_round(session, keyring, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    peer = people.by_address(session, "peer0@example.org")
    for person in (robin, peer):
        with pytest.raises(NotErasable, match="the round of Robin Example is open"):
            retention.erase(session, person, NOW)
    rounds.void(session, round_, NOW)
    with pytest.raises(NotErasable, match="keys of a round are still being destroyed"):
        retention.erase(session, robin, NOW)
    retention_ready(session, keyring)
    assert session.scalars(select(BallotKey)).all() == []
    retention.erase(session, robin, NOW)


def test_the_last_administrator_is_not_erased(session):
    andy = factories.person(session, "Andy", "administrator")
    with pytest.raises(NotErasable, match="nobody else is an administrator"):
        retention.erase(session, andy, NOW)
    factories.person(session, "Ann", "administrator")
    retention.erase(session, andy, NOW, andy)
    session.commit()


def test_the_list_says_what_goes_and_nothing_keeps_it(app, session, keyring, release, stored):
    andy = factories.person(session, "Andy", "administrator")
    team = factories.team(session, keyring, release)
    retention_ready(session, keyring)
    robin_id, name = release.round.leader_id, team.name
    session.close()
    visitor = Visitor(app, andy)
    visitor.open(f"/administration/people/{robin_id}")
    page = visitor.open(f"/administration/people/{robin_id}/erase")
    for words in ("the round until 16 November 2026 (Preview ready)", name, "mails"):
        assert words in page
    page = visitor.send({})
    assert visitor.status == 422
    page = visitor.send({"sure": "y"})
    assert "Robin Example was erased." in page
    assert session.get(Person, robin_id) is None
    session.close()

    content = stored()
    assert b"robin@example.org" not in content
    assert b"Robin Example" not in content


def test_an_offered_preview_of_somebody_erased_is_in_no_team(session, keyring, release, robin):
    teams.offer(session, robin, release.round_id, NOW)
    retention.erase(session, robin, NOW)
    session.commit()

    assert teams.offered(session) == []


def test_what_goes_soon_is_shown_before(app, session, keyring, release, clock):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    session.close()
    clock.now = CLOSES + timedelta(days=1095 - 29)
    page = Visitor(app, andy, now=clock.now).open("/administration/retention")
    assert "the preview for Robin Example of 17 November 2026" in page
    assert "1095 days" in page
    assert "365 days" in page
