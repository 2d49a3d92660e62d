"""A pulse asks the same raters on its day, sealed as a round is, and only while it makes sense."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from reports.release import PulseRelease
from survey import jobs
from survey.answers import Draft
from survey.models import (
    Ballot,
    Invitation,
    Mail,
    MailKind,
    Nomination,
    Pulse,
    Release,
    Round,
    RoundState,
)
from survey.services import ballots, closing, coaching, people, practices, pulses, rounds, teams
from survey.services.closing import RosterMismatch
from survey.services.practices import Written
from survey.services.pulses import BehaviourMissing, PulseEnded, PulsesPlanned, PulsesTooLate
from tests import factories
from tests.conftest import NOW
from tests.visitor import Visitor

FIRST, SECOND = date(2027, 1, 1), date(2027, 3, 2)
BEHAVIOURS = {"MM1": "hands over whole results", "SA1": "asks before telling"}


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def plan(session, keyring, robin):
    """Written on 2 November 2026, so that pulses ask 60 and 120 days later."""
    release = factories.released(session, keyring, robin)
    plan = practices.choose(session, release, list(BEHAVIOURS), NOW.date())
    practices.write(session, plan, Written(BEHAVIOURS))
    session.commit()
    return plan


@pytest.fixture
def planned(session, plan, robin):
    pulses.plan_pulses(session, plan, NOW, UTC, robin)
    session.commit()
    return plan.pulses


@pytest.fixture
def opened(session, keyring, planned):
    """The first pulse, on its day."""
    pulses.open_pulse(session, keyring, planned[0], on(FIRST), UTC)
    session.commit()
    return planned[0]


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def answer(session, keyring, link, change=6) -> None:
    rater = ballots.rater(session, keyring, link, on(FIRST))
    ballots.start(session, rater)
    items = {"PU0": 1, "PU1_1": change, "PU1_2": 0, "PU2": 4}
    ballots.save(session, rater, Draft(items))
    ballots.send(session, rater)
    session.commit()


def all_answer(session, keyring, pulse) -> None:
    links = factories.links(session, keyring, pulse.round).values()
    for link, change in zip(links, (2, 4, 6, 6, 7), strict=True):
        answer(session, keyring, link, change=change)


def test_pulses_ask_on_the_days_of_the_questionnaire(planned):
    assert [(pulse.number, pulse.asks_on) for pulse in planned] == [(1, FIRST), (2, SECOND)]
    assert {pulse.round.state for pulse in planned} == {RoundState.DRAFT}


def test_only_the_days_to_come_are_planned(session, plan):
    pulses.plan_pulses(session, plan, on(FIRST), UTC)

    assert [pulse.number for pulse in plan.pulses] == [2]


def test_a_plan_is_followed_up_once_and_only_with_behaviours(session, plan):
    with pytest.raises(PulsesTooLate):
        pulses.plan_pulses(session, plan, on(SECOND), UTC)
    practices.write(session, plan, Written(dict.fromkeys(BEHAVIOURS, "")))
    with pytest.raises(BehaviourMissing):
        pulses.plan_pulses(session, plan, NOW, UTC)
    practices.write(session, plan, Written(BEHAVIOURS))
    pulses.plan_pulses(session, plan, NOW, UTC)
    with pytest.raises(PulsesPlanned):
        pulses.plan_pulses(session, plan, NOW, UTC)


def test_nobody_is_asked_before_the_day_and_nobody_twice(app, session, planned, catcher, clock):
    session.close()
    clock.now = on(FIRST) - timedelta(days=1)
    jobs.sweep(app)
    assert not [mail for mail in catcher.mails if "noticed" in mail["Subject"]]
    for _ in range(2):
        clock.now = on(FIRST)
        jobs.sweep(app)

    asked = [mail["To"] for mail in catcher.mails if "noticed" in mail["Subject"]]
    assert sorted(asked) == [f"peer{n}@example.org" for n in range(5)]
    text = catcher.text_to("peer0@example.org", "Robin Example some weeks ago")
    assert "Robin Example chose one or two things to practise" in text
    assert "until the end of 15 January 2027" in text


def test_it_asks_what_stands_in_the_plan_on_that_day(session, keyring, planned):
    practices.write(session, planned[0].plan, Written(BEHAVIOURS | {"SA1": "listens first"}))
    pulses.open_pulse(session, keyring, planned[0], on(FIRST), UTC)
    practices.write(session, planned[0].plan, Written(BEHAVIOURS))

    assert json.loads(planned[0].behaviours) == ["hands over whole results", "listens first"]


def test_without_a_behaviour_it_waits_but_not_for_ever(session, keyring, planned):
    practices.write(session, planned[0].plan, Written(dict.fromkeys(BEHAVIOURS, "")))
    first = planned[0]
    pulses.open_pulse(session, keyring, first, on(FIRST) + timedelta(days=30), UTC)
    assert first.round.state is RoundState.DRAFT
    pulses.open_pulse(session, keyring, first, on(FIRST) + timedelta(days=31), UTC)

    assert [pulse.number for pulse in session.scalars(select(Pulse))] == [2]


def test_who_left_is_not_asked_and_too_few_end_it(app, session, keyring, planned, catcher, clock):
    session.execute(
        update(people.Person)
        .where(people.Person.email.in_([f"peer{n}@example.org" for n in range(3)]))
        .values(active=False)
    )
    session.commit()
    session.close()
    clock.now = on(FIRST)
    jobs.sweep(app)

    assert session.get(Round, planned[0].round_id).state is RoundState.VOID
    assert catcher.mails[-1]["Subject"] == "Your pulse ended without a result"
    assert keyring.rounds() == []


def test_a_leader_who_has_asked_with_a_whole_round_since_gets_no_pulse(
    session, keyring, robin, planned
):
    factories.opened(session, keyring, leader=robin, roster={"peer": 5}, now=on(date(2026, 12, 1)))
    pulses.open_pulse(session, keyring, planned[0], on(FIRST), UTC)
    session.commit()

    assert [pulse.number for pulse in session.scalars(select(Pulse))] == [2]


def test_two_pulses_are_never_out_at_once(session, keyring, planned):
    """They would differ by whoever answers only one of them."""
    first, second = planned
    pulses.open_pulse(session, keyring, first, on(SECOND) - timedelta(days=1), UTC)
    pulses.open_pulse(session, keyring, second, on(SECOND), UTC)
    assert (first.round.state, second.round.state) == (RoundState.OPEN, RoundState.DRAFT)


def test_a_pulse_that_is_as_late_as_the_next_one_is_dropped(session, keyring, planned):
    first, second = planned
    pulses.open_pulse(session, keyring, first, on(SECOND), UTC)
    pulses.open_pulse(session, keyring, second, on(SECOND), UTC)

    assert [pulse.number for pulse in session.scalars(select(Pulse))] == [2]
    assert second.round.state is RoundState.OPEN


def test_one_who_leads_no_longer_gets_no_pulse(session, keyring, robin, planned):
    robin.leads = False
    pulses.open_pulse(session, keyring, planned[0], on(FIRST), UTC)

    assert session.get(Pulse, planned[0].round_id) is None


def test_a_pulse_is_sealed_counted_and_told_to_the_leader(
    app, session, keyring, opened, catcher, clock
):
    all_answer(session, keyring, opened)
    sizes = {len(sealed) for sealed in session.scalars(select(Ballot.sealed))}
    assert len(sizes) == 1
    session.close()
    clock.now = on(FIRST) + timedelta(days=15)
    jobs.sweep(app)

    pulse = session.get(Pulse, opened.round_id)
    document = PulseRelease.model_validate_json(pulse.document)
    # By hand: 2 is less, 4 the same, 6, 6 and 7 are more; nobody had a basis for the second.
    assert document.tally("PU1_1").counts == (1, 1, 3)
    assert document.tally("PU1_2") is None
    assert (document.asked, document.answered) == (5, 5)
    assert document.release == session.get(Release, pulse.plan_id).sha256
    assert catcher.mails[-1]["Subject"] == "Your pulse is there"
    assert session.scalars(select(Ballot)).all() == []
    assert keyring.rounds() == []


def test_what_is_typed_is_nowhere_before_the_close_and_without_a_name_after_it(
    app, session, keyring, opened, settings, clock, stored
):
    links = factories.links(session, keyring, opened.round)
    session.close()
    clock.now = on(FIRST)
    for name, link in links.items():
        rater = Visitor(app)
        rater.open(f"/r/{link}")
        rater.send(action="/start")
        rater.send({"PU0": "1", "PU3-1": f"zebrafinch-{name}"})
        if name != "peer0":
            rater.send()

    def everywhere():
        keys = (file.read_bytes() for file in settings.keyring.rglob("*") if file.is_file())
        return stored() + b"".join(keys)

    assert b"zebrafinch" not in everywhere()
    clock.now = on(FIRST) + timedelta(days=15)
    jobs.sweep(app)
    document = session.get(Pulse, opened.round_id).document

    # What was typed and not sent is gone.
    assert sorted(PulseRelease.model_validate_json(document).comments[0].texts) == [
        f"zebrafinch-peer{n}" for n in range(1, 5)
    ]
    assert b"zebrafinch-peer0" not in everywhere()


def test_nothing_of_it_can_be_opened_where_too_few_answered(app, session, keyring, opened, clock):
    links = factories.links(session, keyring, opened.round)
    for name in ("peer0", "peer1"):
        answer(session, keyring, links[name])
    session.close()
    clock.now = on(FIRST) + timedelta(days=15)
    jobs.sweep(app)

    assert session.get(Round, opened.round_id).state is RoundState.VOID
    assert session.get(Pulse, opened.round_id).document is None


@pytest.mark.parametrize(
    "attack",
    [
        update(Pulse).values(behaviours='["is a good leader"]'),
        delete(Pulse).where(Pulse.number == 1),
    ],
    ids=["other behaviours", "as if it were a whole round"],
)
def test_what_was_asked_cannot_be_changed_in_the_database(session, keyring, opened, attack):
    all_answer(session, keyring, opened)
    session.execute(attack)
    session.commit()
    session.expire_all()

    with pytest.raises(RosterMismatch, match="asked something else"):
        closing.close(session, keyring, opened.round_id, on(FIRST) + timedelta(days=15))


def test_an_answer_to_what_a_pulse_does_not_ask_is_left_out(session, keyring, opened):
    link = factories.links(session, keyring, opened.round)["peer0"]
    rater = ballots.rater(session, keyring, link, on(FIRST))
    ballots.start(session, rater)
    ballots.save(session, rater, Draft({"MM01": 5, "PU0": 1}, {"OP1": ("x",)}))
    ballots.send(session, rater)
    session.commit()
    sealed = session.scalars(select(Ballot.sealed)).one()
    content = factories.opener(keyring, opened.round_id).open(sealed)

    assert (content.answers.items, content.answers.words) == ({"PU0": 1}, {})


def test_it_can_be_left_out_before_and_ended_while_it_is_out(session, keyring, planned, robin):
    pulses.leave_out(session, planned[1], NOW, robin)
    [left] = session.scalars(select(Pulse))
    assert left.number == 1
    pulses.open_pulse(session, keyring, left, on(FIRST), UTC)
    pulses.leave_out(session, left, on(FIRST), robin)
    assert left.round.state is RoundState.VOID
    assert session.scalars(select(Invitation)).all() == []

    with pytest.raises(PulseEnded):
        pulses.leave_out(session, left, on(FIRST), robin)


def test_a_pulse_is_no_round_of_its_leader_nor_of_anybody_else(session, robin, opened):
    [whole] = rounds.of_leader(session, robin)
    assert whole.id == opened.plan_id
    assert len(rounds.every(session)) == 3
    assert [release.round_id for release in coaching.releases_of(session, robin)] == [whole.id]
    assert teams.offered(session) == []


def test_pulses_do_not_count_in_how_often_somebody_is_asked(session, opened):
    asked = [each.person_id for each in session.scalars(select(Nomination))]
    late = NOW + rounds.LATELY + timedelta(days=1)

    rounds.check_how_often(session, asked, late, 1)


def test_the_pages_lead_a_rater_through_a_pulse(app, session, keyring, opened, clock):
    link = factories.links(session, keyring, opened.round)["peer0"]
    session.close()
    clock.now = on(FIRST)
    rater = Visitor(app)
    page = rater.open(f"/r/{link}")
    assert "What have you noticed of Robin Example lately?" in page
    assert "Only counts, from 3 answers on." in page
    page = rater.send(action="/start")
    assert "“hands over whole results”" in page
    assert "“asks before telling”" in page
    page = rater.send({"PU1_1": "9"})
    assert rater.status == 422
    page = rater.send({})
    assert "Please answer at least one question." in page
    rater.open(f"/r/{link}/part/1")
    page = rater.send({"PU0": "2", "PU1_1": "6", "PU1_2": "0", "PU3-1": "Keep asking."})
    for said in ("Yes, once", "More", "No basis to judge", "Left out", "Keep asking."):
        assert said in page
    page = rater.send()

    assert "Your answers are sealed." in page
    assert "you can replace or withdraw" in page


def test_the_leader_plans_it_and_reads_it_in_the_preview(app, session, keyring, plan, robin, clock):
    session.close()
    leader = Visitor(app, robin)
    page = leader.open(f"/rounds/{plan.round_id}/practise")
    assert "on 1 January 2027 and 2 March 2027" in page
    page = leader.send(action="/pulses")
    assert "Pulse 2, 2 March 2027" in page
    clock.now = on(FIRST)
    jobs.sweep(app)
    [pulse, _] = session.scalars(select(Pulse).order_by(Pulse.number))
    all_answer(session, keyring, pulse)
    session.close()
    leader = Visitor(app, robin, now=clock.now)
    page = leader.open(f"/rounds/{plan.round_id}/practise")
    assert "sealed until the end of 15 January 2027" in page
    leader.open(f"/rounds/{pulse.round_id}")
    assert leader.status == 404
    clock.now = on(FIRST) + timedelta(days=15)
    jobs.sweep(app)
    leader = Visitor(app, robin, now=clock.now)
    assert "Read what people noticed" in leader.open(f"/rounds/{plan.round_id}/practise")
    page = leader.open(f"/previews/{plan.round_id}")

    assert '<section class="page pulse" id="pulse">' in page
    assert "<strong>3</strong> more" in page
    assert session.query(Mail).filter_by(kind=MailKind.RELEASED, round_id=pulse.round_id).count()
