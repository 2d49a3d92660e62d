"""Programmes open together what is ready, say who is behind, and never name a rater."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey import jobs
from survey.models import Approval, Mail, MailKind, Programme, Round, RoundState
from survey.services import approvals, nominations, people, programmes, retention, rounds
from survey.services.approvals import NothingToApprove, RatersChanged
from survey.services.nominations import Named
from survey.services.programmes import (
    Common,
    Member,
    MembersInvalid,
    NameTaken,
    NotPrepared,
    ProgrammeDaysInvalid,
    Standing,
)
from survey.services.rounds import (
    Choices,
    NotApproved,
    NotLater,
    NotYet,
    RatersMissing,
    RoundInProgramme,
)
from tests import factories
from tests.conftest import NOW

OPENS, CLOSES = NOW + timedelta(days=14), NOW + timedelta(days=28)


@pytest.fixture
def leaders(session):
    people = [factories.person(session, name, "leader") for name in ("Lee", "Sam", "Kit")]
    factories.person(session, "Mona")
    session.commit()
    return people


def made(session, leaders, *, approves=False, name="Autumn"):
    manager = "mona@example.org" if approves else ""
    members = [Member(n, each.email, manager) for n, each in enumerate(leaders, start=1)]
    common = Common(name, OPENS, CLOSES, "new_lead", "en", "Please be frank.", approves)
    programme = programmes.make(session, common, members, factories.QUESTIONNAIRE, 3, NOW)
    session.commit()
    return programme


def name_raters(session, round_, count=5, first="peer"):
    named = [Named(n, f"{first}{n} Ex", f"{first}{n}@example.org", "peer") for n in range(count)]
    nominations.name_raters(session, round_, named, NOW)
    session.commit()


def of(session, programme):
    """The programme's rounds by leader."""
    return {each.round.leader.name.split()[0]: each.round for each in standing(session, programme)}


def standing(session, programme, now=NOW):
    return programmes.progress(session, programme, now)


def test_each_leader_gets_a_round_on_the_common_days_and_a_mail(session, leaders):
    programme = made(session, leaders)

    found = of(session, programme)
    assert set(found) == {"Lee", "Sam", "Kit"}
    assert {round_.closes_at for round_ in found.values()} == {CLOSES}
    assert {round_.message for round_ in found.values()} == {"Please be frank."}
    told = session.scalars(select(Mail.address).where(Mail.kind == MailKind.PROGRAMME))
    assert sorted(told) == ["kit@example.org", "lee@example.org", "sam@example.org"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Member(1, "nobody@example.org"), "nobody here has the address"),
        (Member(1, "mona@example.org"), "is no leader here"),
        (Member(1, "no address"), "is not a mail address"),
        (Member(1, "busy@example.org"), "has a round that has not ended"),
        (Member(1, "lee@example.org", ""), "the address of who approves is missing"),
        (Member(1, "lee@example.org", "lee@example.org"), "cannot approve their own"),
        (Member(1, "lee@example.org", "x@example.org"), "nobody here has the address"),
        (Member(1, "sam@example.org", "mona@example.org"), "is named twice"),
    ],
)
def test_every_line_that_cannot_be_taken_is_named_and_nothing_is_made(session, leaders, line, said):
    busy = factories.person(session, "Busy", "leader")
    factories.prepared(session, leader=busy)
    session.commit()
    good = Member(2, "sam@example.org", "mona@example.org")
    members = [good, Member(3, line.leader, line.manager), Member(4, "gone@example.org")]

    with pytest.raises(MembersInvalid) as refused:
        programmes.make(
            session,
            Common("Autumn", OPENS, CLOSES, "new_lead", "en", approves=True),
            members,
            factories.QUESTIONNAIRE,
            3,
            NOW,
        )
    assert [fault.row for fault in refused.value.faults] == [3, 4]
    assert said in str(refused.value.faults[0])
    session.rollback()
    assert session.scalars(select(Programme)).all() == []


@pytest.mark.parametrize(
    ("opens", "closes"),
    [(-2, 14), (14, 14), (14, 105), (0, 0), (20, 10)],
    ids=["yesterday", "no day", "91 days", "closed today", "backwards"],
)
def test_days_between_which_no_round_can_run_are_refused(session, leaders, opens, closes):
    days = NOW + timedelta(days=opens), NOW + timedelta(days=closes)
    common = Common("Autumn", *days, "new_lead", "en")
    with pytest.raises(ProgrammeDaysInvalid):
        programmes.make(
            session, common, [Member(1, "lee@example.org")],
            factories.QUESTIONNAIRE, 3, NOW,
        )  # fmt: skip


def test_two_programmes_of_one_name_are_refused(session, leaders):
    made(session, leaders[:1])
    with pytest.raises(NameTaken):
        made(session, leaders[1:])


def test_a_leader_changes_what_is_asked_but_neither_the_days_nor_the_programme(session, leaders):
    lee = of(session, made(session, leaders))["Lee"]
    rounds.change(session, lee, Choices("manager", "de", NOW + timedelta(days=40), "Hm."), NOW)

    assert (lee.level, lee.language, lee.message, lee.closes_at) == (
        "manager", "de", "Hm.", CLOSES
    )  # fmt: skip
    with pytest.raises(RoundInProgramme):
        rounds.discard(session, lee, NOW, lee.leader)


def test_what_is_ready_opens_on_the_common_day_and_nothing_before(
    app, session, keyring, leaders, clock, catcher
):
    programme = made(session, leaders)
    found = of(session, programme)
    name_raters(session, found["Lee"])
    name_raters(session, found["Sam"], count=2)
    with pytest.raises(NotYet):
        rounds.open_round(session, keyring, found["Lee"], NOW)
    ids = {name: round_.id for name, round_ in found.items()}
    session.rollback()
    session.close()
    for moment in (OPENS - timedelta(seconds=1), OPENS):
        clock.now = moment
        jobs.sweep(app)
        states = {name: session.get(Round, id_).state for name, id_ in ids.items()}
        session.close()
        assert states == {
            "Lee": RoundState.OPEN if moment == OPENS else RoundState.NOMINATING,
            "Sam": RoundState.DRAFT,
            "Kit": RoundState.DRAFT,
        }

    asked = [mail["To"] for mail in catcher.mails if "your view" in mail["Subject"]]
    assert len(asked) == 5


def test_the_overview_says_how_far_each_round_is_and_who_is_behind(session, keyring, leaders):
    programme = made(session, leaders, approves=True)
    found = of(session, programme)
    assert {each.standing for each in standing(session, programme)} == {Standing.NOBODY_NAMED}
    assert not any(each.behind for each in standing(session, programme))
    name_raters(session, found["Lee"])
    name_raters(session, found["Sam"])
    approvals.ask(session, found["Sam"], NOW)
    name_raters(session, found["Kit"])
    approvals.ask(session, found["Kit"], NOW)
    approvals.approve(session, found["Kit"], approvals.roster(found["Kit"]), NOW)

    late = OPENS - timedelta(days=2)
    seen = {e.round.leader.name: (e.standing, e.behind) for e in standing(session, programme, late)}
    assert seen == {
        "Lee Example": (Standing.TO_APPROVE, True),
        "Sam Example": (Standing.WITH_MANAGER, True),
        "Kit Example": (Standing.READY, False),
    }
    rounds.open_round(session, keyring, found["Kit"], OPENS)
    assert standing(session, programme, OPENS)[-1].standing is Standing.COLLECTING
    almost = standing(session, programme, CLOSES - timedelta(days=1))
    assert {e.round.leader.name for e in almost if e.behind} == {
        "Kit Example", "Lee Example", "Sam Example"
    }  # fmt: skip


def test_leaders_are_reminded_once_a_day_and_only_those_whose_rounds_wait_for_them(
    session, leaders
):
    programme = made(session, leaders)
    name_raters(session, of(session, programme)["Lee"])

    assert programmes.remind_leaders(session, programme, NOW + timedelta(days=1)) == 2
    assert programmes.remind_leaders(session, programme, NOW + timedelta(days=1)) == 0
    assert programmes.remind_leaders(session, programme, NOW + timedelta(days=2)) == 2


def test_more_time_is_for_all_that_have_not_ended(session, keyring, leaders):
    programme = made(session, leaders)
    found = of(session, programme)
    name_raters(session, found["Lee"])
    rounds.open_round(session, keyring, found["Lee"], OPENS)
    rounds.extend(session, found["Lee"], CLOSES + timedelta(days=9), OPENS)
    later = CLOSES + timedelta(days=7)
    with pytest.raises(NotLater):
        programmes.move_closing_day(session, programme, CLOSES, OPENS)
    with pytest.raises(ProgrammeDaysInvalid):
        programmes.move_closing_day(session, programme, OPENS + timedelta(days=91), OPENS)
    programmes.move_closing_day(session, programme, later, OPENS)

    assert found["Lee"].closes_at == CLOSES + timedelta(days=9)
    assert found["Kit"].closes_at == programme.closes_at == later


def test_only_a_round_that_has_not_opened_is_taken_out(session, keyring, leaders):
    programme = made(session, leaders)
    found = of(session, programme)
    programmes.take_out(session, programme, found["Kit"].id, NOW, None)
    assert set(of(session, programme)) == {"Lee", "Sam"}
    name_raters(session, found["Lee"])
    rounds.open_round(session, keyring, found["Lee"], OPENS)
    with pytest.raises(NotPrepared):
        programmes.take_out(session, programme, found["Lee"].id, OPENS, None)


class TestApproval:
    @pytest.fixture
    def round_(self, session, leaders):
        round_ = of(session, made(session, leaders, approves=True))["Lee"]
        name_raters(session, round_)
        return round_

    def test_without_it_nothing_opens(self, app, session, keyring, round_, clock):
        with pytest.raises(NotApproved):
            rounds.open_round(session, keyring, round_, OPENS)
        round_id = round_.id
        session.rollback()
        session.close()
        clock.now = OPENS
        jobs.sweep(app)
        assert session.get(Round, round_id).state is RoundState.NOMINATING

    def test_approved_is_the_list_that_was_read(self, session, round_):
        approvals.ask(session, round_, NOW)
        read = approvals.roster(round_)
        name_raters(session, round_, first="friend")
        approvals.ask(session, round_, NOW)
        with pytest.raises(RatersChanged):
            approvals.approve(session, round_, read, NOW)
        approvals.approve(session, round_, approvals.roster(round_), NOW)
        assert round_.approval is Approval.APPROVED

    def test_a_changed_list_needs_another_approval_and_the_same_list_none(self, session, round_):
        approvals.ask(session, round_, NOW)
        approvals.approve(session, round_, approvals.roster(round_), NOW)
        name_raters(session, round_)
        assert round_.approval is Approval.APPROVED
        name_raters(session, round_, count=6)
        assert round_.approval is Approval.NOT_ASKED

    def test_it_is_asked_once_for_a_list_and_for_enough_raters(self, session, leaders, round_):
        name_raters(session, round_, count=2)
        with pytest.raises(RatersMissing):
            approvals.ask(session, round_, NOW)
        name_raters(session, round_)
        approvals.ask(session, round_, NOW)
        with pytest.raises(NothingToApprove):
            approvals.ask(session, round_, NOW)

    def test_a_decision_is_made_once(self, session, round_):
        approvals.ask(session, round_, NOW)
        approvals.send_back(session, round_, approvals.roster(round_), "More peers.", NOW)
        with pytest.raises(NothingToApprove):
            approvals.approve(session, round_, approvals.roster(round_), NOW)
        assert (round_.approval, round_.approval_note) == (Approval.SENT_BACK, "More peers.")


def test_a_tally_counts_who_stands_how_and_a_piece_shows_those_that_are_asked_for(
    session, keyring, leaders
):
    programme = made(session, leaders)
    found = of(session, programme)
    name_raters(session, found["Lee"])
    name_raters(session, found["Sam"], count=2)
    late = OPENS - timedelta(days=2)
    tally = programmes.tally(session, programme, late)

    assert (tally.total, tally.behind) == (3, 2)
    assert tally.standings == {Standing.NOBODY_NAMED: 2, Standing.READY: 1}

    def shown(words="", groups=None):
        piece = programmes.some_progress(session, programme, late, 1, words, groups)
        return [(each.round.leader.name.split()[0], each.standing) for each in piece.rows]

    [lee, sam, kit] = [
        ("Lee", Standing.READY),
        ("Sam", Standing.NOBODY_NAMED),
        ("Kit", Standing.NOBODY_NAMED),
    ]
    assert shown() == [lee, sam, kit]
    assert shown(groups=[group for group in tally.groups if group.behind]) == [sam, kit]
    assert shown("kit") == [kit]
    assert shown(groups=()) == []


def test_with_too_few_raters_left_a_round_waits_for_its_leader_again(session, leaders):
    """Somebody who was named is erased before the day."""
    programme = made(session, leaders)
    name_raters(session, of(session, programme)["Lee"], count=3)
    assert programmes.tally(session, programme, NOW).standings[Standing.READY] == 1

    retention.erase(session, people.by_address(session, "peer0@example.org"), NOW)
    session.commit()
    assert programmes.tally(session, programme, NOW).standings == {Standing.NOBODY_NAMED: 3}
