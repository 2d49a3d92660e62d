"""A coach's shelf: notes of one's own, opening the conversation, all leaders together."""

import html
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey.jobs import sweep
from survey.models import CoachAccess, Mail, MailKind, Person, Release
from survey.services import coaching, rounds
from survey.services.rounds import Choices
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.visitor import Visitor


@pytest.fixture
def robin(session):
    robin = factories.person(session, "Robin", "leader")
    session.commit()
    return robin


@pytest.fixture
def casey(session, robin):
    casey = factories.person(session, "Casey", "coach")
    coaching.give_access(session, robin, casey.id, "en", NOW)
    session.commit()
    return casey


def kinds_to(session, name):
    query = select(Mail.kind).where(Mail.address == f"{name}@example.org")
    return [kind for kind in session.scalars(query) if kind != MailKind.INVITATION]


class TestCoachFirst:
    """The leader hears of the preview from a coach, if the round says so."""

    @pytest.fixture
    def release(self, session, keyring, robin, casey):
        round_ = factories.prepared(session, leader=robin, roster={"peer": 5})
        choices = Choices("new_lead", "en", CLOSES, coach_first=True)
        rounds.change(session, round_, choices, NOW)
        rounds.open_round(session, keyring, round_, NOW)
        session.commit()
        factories.all_answer(session, keyring, round_)
        release = factories.closed(session, keyring, round_)
        session.close()
        return release

    @pytest.fixture
    def leader(self, app, robin, release, clock):
        clock.now = CLOSES
        return Visitor(app, robin, now=CLOSES)

    def test_coaches_are_told_and_the_leader_is_not(self, session, release):
        assert MailKind.COACH_FIRST in kinds_to(session, "casey")
        assert MailKind.RELEASED not in kinds_to(session, "robin")

    @pytest.mark.parametrize(
        "page", ["previews/{}", "previews/{}/preview.pdf", "previews/{}/release.xlsx",
                 "rounds/{}/practise"]
    )  # fmt: skip
    def test_until_then_the_leader_can_read_none_of_it(self, leader, release, page):
        leader.open(f"/{page.format(release.round_id)}")

        assert leader.status == 409
        assert "your coach opens the conversation first" in leader.page
        assert f"/previews/{release.round_id}" not in leader.open("/rounds")
        assert f"/previews/{release.round_id}" not in leader.open(f"/rounds/{release.round_id}")

    def test_once_it_is_opened_the_leader_reads_it_and_gets_a_mail(
        self, app, session, leader, release, casey
    ):
        coach = Visitor(app, casey, now=CLOSES)
        assert "Until then the leader cannot read it." in coach.open("/shelf")
        page = coach.send(action="/open")

        assert "The leader can read the preview now" in page
        assert "Until then the leader" not in page
        assert kinds_to(session, "robin") == [MailKind.RELEASED]
        leader.open(f"/previews/{release.round_id}")
        assert leader.status == 200

    def test_after_two_weeks_it_opens_by_itself(self, app, session, leader, release, clock):
        clock.now = CLOSES + coaching.PATIENCE_FOR_COACH - timedelta(seconds=1)
        sweep(app)
        assert kinds_to(session, "robin") == []
        session.close()
        clock.now += timedelta(seconds=1)
        sweep(app)
        sweep(app)

        assert kinds_to(session, "robin") == [MailKind.RELEASED]

    def test_whoever_comes_first_tells_the_leader_and_nobody_tells_twice(
        self, session, casey, release
    ):
        """The second has read the row before the first changed it."""
        coach, stale = session.merge(casey), session.get_one(Release, release.round_id)
        session.execute(
            update(Release)
            .values(handed_over_at=CLOSES)
            .execution_options(synchronize_session=False)
        )
        assert stale.handed_over_at is None
        coaching.open_conversation(session, coach, release.round_id, CLOSES)

        assert kinds_to(session, "robin") == []

    def test_the_two_weeks_count_from_the_release(self, app, session, keyring, release, clock):
        """A trustee may come late."""
        session.get_one(Release, release.round_id).released_on = (
            CLOSES + timedelta(days=20)
        ).date()
        session.commit()
        clock.now = CLOSES + timedelta(days=33)
        sweep(app)

        assert kinds_to(session, "robin") == []

    def test_a_coach_who_has_left_keeps_nobody_waiting(self, session, leader, casey, release):
        session.get_one(Person, casey.id).active = False
        session.commit()
        leader.open(f"/previews/{release.round_id}")

        assert leader.status == 200

    def test_no_later_preview_compares_with_it_and_it_is_not_offered(
        self, session, keyring, leader, robin, release
    ):
        token = leader.open("/rounds").split('name="csrf_token" value="')[1].split('"')[0]
        answer = leader.client.post(f"/rounds/{release.round_id}/offer", data={"csrf_token": token})
        assert answer.status_code == 409
        later = CLOSES + timedelta(days=1)
        second = factories.released(session, keyring, session.merge(robin), now=later)

        assert coaching.release_before(session, second) is None
        session.get_one(Release, release.round_id).handed_over_at = later
        assert coaching.release_before(session, second).round_id == release.round_id

    def test_a_leader_who_takes_access_back_waits_for_nobody(
        self, session, leader, robin, casey, release
    ):
        coaching.take_access_back(session, robin, casey.id, CLOSES)
        session.commit()
        leader.open(f"/previews/{release.round_id}")

        assert leader.status == 200

    def test_another_coach_cannot_open_it(self, app, session, release):
        cora = factories.person(session, "Cora", "coach")
        session.commit()
        coach = Visitor(app, cora, now=CLOSES)
        token = coach.open("/shelf").split('name="csrf_token" value="')[1].split('"')[0]
        answer = coach.client.post(
            f"/shelf/rounds/{release.round_id}/open", data={"csrf_token": token}
        )

        assert answer.status_code == 404


def test_the_leader_chooses_it_only_where_there_is_a_coach(app, session, robin):
    leader = Visitor(app, robin)
    page = leader.open("/rounds/new")
    assert "Closing day" in page
    assert "My coach opens the conversation" not in page
    casey = factories.person(session, "Casey", "coach")
    coaching.give_access(session, robin, casey.id, "en", NOW)
    session.commit()
    leader.open("/rounds/new")
    leader.send({"level": "new_lead", "last_day": "2026-11-16", "coach_first": "y"})
    page = leader.open(leader.address.replace("/raters", "/prepare"))

    assert 'name="coach_first" value="y" checked' in page


def test_notes_are_the_coachs_own_and_go_with_the_access(app, session, robin, casey):
    coach = Visitor(app, casey)
    coach.open(f"/shelf/{robin.id}/notes")
    page = coach.send({"notes": "Begin with what works."})
    assert "Begin with what works." in page

    other = factories.person(session, "Cora", "coach")
    andy = factories.person(session, "Andy", "administrator")
    coaching.give_access(session, robin, other.id, "en", NOW)
    session.commit()
    for person, pages in (
        (robin, ["/rounds"]),
        (other, ["/shelf", f"/shelf/{robin.id}/notes"]),
        (andy, ["/administration/people", "/administration/audit", f"/shelf/{robin.id}/notes"]),
    ):
        for page in pages:
            assert "Begin with what works." not in Visitor(app, person).open(page)
    coaching.take_access_back(session, robin, casey.id, NOW)
    coaching.give_access(session, robin, casey.id, "en", NOW + timedelta(days=1))
    session.commit()
    assert session.get_one(CoachAccess, (robin.id, casey.id)).notes == ""


def test_notes_that_are_too_long_are_kept_on_the_page(app, robin, casey):
    coach = Visitor(app, casey)
    coach.open(f"/shelf/{robin.id}/notes")
    page = coach.send({"notes": "x" * 10_001})

    assert coach.status == 422
    assert "x" * 10_001 in page


class TestGroup:
    """A coach sees four and more leaders together."""

    @pytest.fixture
    def coach(self, app, session, keyring, robin, casey):
        """Casey coaches four leaders, of whom others see room to lead as 2, 2, 4 and 4."""
        factories.released(session, keyring, robin, mm=2)
        for score, name in ((2, "Sam"), (4, "Terry"), (4, "Uli")):
            leader = factories.person(session, name, "leader")
            factories.released(session, keyring, leader, mm=score)
            coaching.give_access(session, leader, casey.id, "en", NOW)
        session.commit()
        session.close()
        return Visitor(app, casey)

    def test_the_group_is_the_mean_of_what_each_preview_says(self, coach):
        page = coach.open("/shelf")
        assert "Your leaders together" in page
        page = coach.open("/shelf/group")

        # Five raters each, so the plain mean of 2, 2, 4 and 4.
        assert "3.0\tRoom to lead" in html.unescape(page)
        assert "The leaders of Casey Example" in page
        assert "made for a coach who may read each of these previews" in page
        assert "Each leader agreed before" not in page

    def test_three_are_too_few(self, coach, session, robin, casey):
        coaching.take_access_back(session, session.merge(robin), casey.id, NOW)
        session.commit()

        assert "Your leaders together" not in coach.open("/shelf")
        coach.open("/shelf/group")
        assert coach.status == 422
        assert "at least 4 leaders" in coach.page

    def test_it_takes_the_latest_preview_of_each(self, coach, session, keyring, robin):
        later = NOW + timedelta(days=60)
        factories.released(session, keyring, session.merge(robin), mm=4, now=later)
        session.close()

        # (4 + 2 + 4 + 4) / 4
        assert "3.5\tRoom to lead" in html.unescape(coach.open("/shelf/group"))
