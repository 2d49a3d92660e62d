"""A team report is made once from what leaders offer, and opened for nobody who could subtract."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from reports.release import TeamRelease
from survey.errors import NotFound
from survey.mail import compose
from survey.models import AuditEntry, CoachAccess, Mail, MailKind, Release
from survey.services import coaching, teams
from survey.services.people import NameInvalid
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW


@pytest.fixture
def administrator(session):
    return factories.person(session, "Admin", "administrator")


@pytest.fixture
def led(session, keyring):
    """A leader with a closed round, whose peers all see room to lead alike."""

    def make(name, mm=3, leader=None, now=NOW):
        leader = leader or factories.person(session, name, "leader")
        return factories.released(session, keyring, leader, mm, now)

    return make


@pytest.fixture
def offered(session, led):
    """So many leaders who each offer a preview."""

    def make(count):
        releases = [led(f"Leader{n}", mm=2 + n % 3) for n in range(count)]
        for release in releases:
            teams.offer(session, release.round.leader, release.round_id, NOW)
        return releases

    return make


@pytest.fixture
def made(session, administrator):
    def make(releases, name="The team"):
        ids = [release.round_id for release in releases]
        team = teams.make(session, name, ids, "en", CLOSES, administrator)
        session.commit()
        return team

    return make


def test_a_team_report_holds_what_the_leaders_offered(session, offered, made, administrator):
    releases = offered(4)
    team = made(releases)

    document = TeamRelease.model_validate_json(
        teams.readable(session, administrator, team.id).document
    )
    assert document.leaders == tuple(f"Leader{n} Example" for n in range(4))
    # Five peers each: 2, 3, 4 and 2.
    assert document.figure("facet", "MM1").mean == 2.8
    assert set(document.releases) == {release.sha256 for release in releases}
    assert teams.every(session) == [team]
    assert teams.of_round(session, releases[0].round_id) == team
    acts = session.scalars(select(AuditEntry.act)).all()
    assert acts.count("preview offered for a team report") == 4
    assert acts[-1] == "team report made"


def test_nothing_is_taken_that_its_leader_does_not_offer(session, offered, led, made):
    releases = [*offered(4), led("Silent")]
    with pytest.raises(teams.NotOffered):
        made(releases)
    session.rollback()

    teams.take_offer_back(session, releases[0].round.leader, releases[0].round_id, NOW)
    assert len(teams.offered(session)) == 3
    with pytest.raises(teams.NotOffered):
        made(releases[:4])


def test_a_preview_goes_into_one_team_report_only(session, offered, led, made):
    """Two that differ by one leader would tell what is said of that leader."""
    releases = offered(5)
    made(releases[:4])

    assert teams.offered(session) == [releases[4]]
    with pytest.raises(teams.NotOffered):
        made(releases[1:])
    session.rollback()
    for act in (teams.offer, teams.take_offer_back):
        with pytest.raises(teams.InATeam):
            act(session, releases[0].round.leader, releases[0].round_id, NOW)


def test_nobody_offers_what_is_anothers(session, offered):
    mine, other = offered(2)

    for act in (teams.offer, teams.take_offer_back):
        with pytest.raises(NotFound):
            act(session, other.round.leader, mine.round_id, NOW)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [(0, "at least 4 leaders"), (3, "at least 4 leaders"), ("twice", "are of Leader0 Example"),
     ("otherwise", "Leader1 Example was asked about with other questions")],
)  # fmt: skip
def test_what_may_not_be_together_is_refused_and_still_offered(
    session, offered, led, made, chosen, reason
):
    releases = offered(4)
    if chosen == "twice":
        again = led("", leader=releases[0].round.leader, now=CLOSES + timedelta(days=10))
        teams.offer(session, again.round.leader, again.round_id, NOW)
        releases.append(again)
    elif chosen == "otherwise":
        document = json.loads(releases[1].document)
        document["questionnaire"]["digest"] = "0"
        releases[1].document = json.dumps(document)
    else:
        releases = releases[:chosen]
    session.commit()

    before = len(teams.offered(session))
    with pytest.raises(teams.NotTogether, match=reason):
        made(releases)
    session.rollback()
    assert len(teams.offered(session)) == before


def test_a_team_has_a_name(session, offered, made):
    with pytest.raises(NameInvalid):
        made(offered(4), " ")


def test_every_leader_is_told_with_whom(app, session, offered, made):
    team = made(offered(4))
    mails = session.scalars(select(Mail).where(Mail.kind == MailKind.TEAM_REPORT)).all()

    assert sorted(mail.address for mail in mails) == [f"leader{n}@example.org" for n in range(4)]
    with app.test_request_context():
        message = compose(app.extensions[EXTENSION], session, mails[0])
    text = message.get_body(("plain",)).get_content()
    assert "part of the team report “The team”" in text
    names = "Leader0 Example, Leader1 Example, Leader2 Example and Leader3 Example"
    assert f"Its leaders: {names}." in text
    assert str(team.id) not in text


# --- Who may read it -----------------------------------------------------------------------


@pytest.mark.parametrize(("count", "may"), [(4, False), (5, True)])
def test_a_leader_in_it_reads_it_only_if_four_others_are_left(session, offered, made, count, may):
    releases = offered(count)
    team = made(releases)

    for release in releases:
        if may:
            assert teams.readable(session, release.round.leader, team.id) == team
        else:
            with pytest.raises(teams.WouldTell):
                teams.readable(session, release.round.leader, team.id)


def test_nobody_else_reads_it(session, offered, made, led):
    team = made(offered(5))
    coach = factories.person(session, "Coach", "coach")

    for other in (led("Other").round.leader, coach):
        with pytest.raises(NotFound):
            teams.readable(session, other, team.id)


@pytest.mark.parametrize(
    ("coached", "may"), [(0, True), (1, True), (2, False), (4, False), (5, True)]
)
def test_an_administrator_who_coaches_cannot_work_out_another_leader(
    session, offered, made, administrator, coached, may
):
    releases = offered(5)
    team = made(releases)
    administrator.coaches = True
    for release in releases[:coached]:
        coaching.give_access(session, release.round.leader, administrator.id, "en", NOW)

    if may:
        assert teams.readable(session, administrator, team.id) == team
    else:
        with pytest.raises(teams.WouldTell, match="fewer than 4 leaders"):
            teams.readable(session, administrator, team.id)


def test_a_report_whose_previews_cannot_be_matched_is_opened_for_nobody(
    session, offered, made, administrator
):
    """Else a preview under another digest would count as one that the reader does not know."""
    releases = offered(5)
    team = made(releases)
    releases[0].sha256 = "0" * 64

    with pytest.raises(teams.WouldTell):
        teams.readable(session, administrator, team.id)


def test_giving_a_role_back_for_a_moment_opens_nothing(session, offered, made):
    """A leader of four who administers: without the role they still know their own preview."""
    releases = offered(4)
    team = made(releases)
    leader = releases[0].round.leader
    leader.administers = True
    for leads in (True, False):
        leader.leads = leads
        with pytest.raises(teams.WouldTell):
            teams.readable(session, leader, team.id)

    coach = factories.person(session, "Coach", "coach", "administrator")
    session.add(CoachAccess(leader_id=releases[1].round.leader_id, coach_id=coach.id))
    coach.coaches = False
    with pytest.raises(teams.WouldTell):
        teams.readable(session, coach, team.id)


def test_somebody_who_leads_no_more_reads_it_no_more(session, offered, made):
    releases = offered(5)
    team = made(releases)
    releases[0].round.leader.leads = False

    with pytest.raises(NotFound):
        teams.readable(session, releases[0].round.leader, team.id)


def test_a_preview_in_a_team_report_is_not_lost_without_a_word(session, offered, made):
    """Who may read which single previews has to stay known as long as the team report is there."""
    releases = offered(4)
    made(releases)

    session.delete(session.get(Release, releases[0].round_id))
    with pytest.raises(IntegrityError):
        session.flush()
