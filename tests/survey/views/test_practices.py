"""After the preview: a leader chooses, plans, thanks and asks again; a coach reads the plan."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from icalendar import Calendar

from reports.release import Release as Document
from survey.jobs import sweep
from survey.models import Mail, MailKind, Person, Plan
from survey.services import coaching
from tests import factories
from tests.conftest import NOW
from tests.visitor import Visitor

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"time_zone": "Europe/Berlin"})


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def release(session, keyring, robin):
    """Five peers see room to lead seldom (2), so its first facet is proposed."""
    release = factories.released(session, keyring, robin, mm=2)
    session.close()
    return release


@pytest.fixture
def leader(app, robin, release):
    return Visitor(app, robin)


def planned(leader, release, **values):
    leader.open(f"/rounds/{release.round_id}/practise/choose")
    leader.send({"facets": ["MM1"]})
    return leader.send(
        {
            "behaviour-MM1": "I hand over whole results",
            "first_step": "Ask Dana which result she wants to own.",
            "weekday": "4",
            "begins_at": "14:30",
            "minutes": "45",
            "place": "Room 3",
        }
        | values
    )


def test_what_the_preview_proposes_stands_first_with_its_reason(leader, release):
    page = leader.open(f"/rounds/{release.round_id}/practise/choose")
    proposed = Document.model_validate_json(release.document).practices

    first, _, rest = page.partition("Something else")
    assert re.findall(r'value="(\w\w\d)"', first) == [each.facet for each in proposed]
    assert "most room" in first
    assert len(re.findall(r'name="facets"', rest)) == 9 - len(proposed)


def test_a_plan_is_chosen_written_and_shown(leader, release):
    page = planned(leader, release)

    assert leader.address == f"/rounds/{release.round_id}/practise"
    for words in (
        "Your plan is saved.",
        "Handing over",
        "I hand over whole results",
        "Ask Dana which result she wants to own.",
        "Friday, 14:30, 45 minutes",
        "Room 3",
    ):
        assert words in page


@pytest.mark.parametrize("facets", [[], ["MM1", "MM2", "SA1"], ["XX9"]])
def test_one_or_two_practices_are_chosen_from_what_was_asked(leader, release, session, facets):
    leader.open(f"/rounds/{release.round_id}/practise/choose")
    page = leader.send({"facets": facets})

    assert leader.status == 422
    assert 'role="alert"' in page
    assert session.get(Plan, release.round_id) is None


def test_choosing_anew_keeps_what_was_written_for_what_stays(leader, release):
    planned(leader, release)
    leader.open(f"/rounds/{release.round_id}/practise/choose")
    page = leader.send({"facets": ["MM1", "TR1"]})

    assert 'value="I hand over whole results"' in page
    assert 'name="behaviour-TR1"' in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"behaviour-MM1": ""}, "This field is required."),
        ({"behaviour-MM1": "x" * 201}, "200"),
        ({"begins_at": ""}, "A slot needs both a day and a time."),
        ({"weekday": ""}, "A slot needs both a day and a time."),
        ({"weekday": "7"}, "Not a valid choice"),
        ({"minutes": "0"}, "Not a valid choice"),
        ({"begins_at": "half past"}, "Not a valid time value"),
    ],
)
def test_a_plan_with_a_mistake_is_shown_again_with_everything_typed(leader, release, wrong, said):
    page = planned(leader, release, **wrong)

    assert leader.status == 422
    assert said in page
    assert "Ask Dana which result she wants to own." in page


def calendar_of(leader, release):
    answer = leader.client.get(f"/rounds/{release.round_id}/practise/slot.ics")
    assert answer.mimetype == "text/calendar"
    calendar = Calendar.from_ical(answer.data)
    [event] = calendar.walk("VEVENT")
    return calendar, event


def test_the_slot_keeps_its_wall_clock_time_through_the_change_of_time(app, robin, release, clock):
    """Monday 2 March 2026, ten o'clock in Berlin; clocks go forward there on 29 March."""
    clock.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    leader = Visitor(app, robin, now=clock.now)
    planned(leader, release)
    calendar, event = calendar_of(leader, release)

    assert event.decoded("dtstart") == datetime(2026, 3, 6, 14, 30, tzinfo=BERLIN)
    found = recurring_ical_events.of(calendar).between((2026, 1, 1), (2027, 1, 1))
    moments = sorted(each.decoded("dtstart").astimezone(UTC) for each in found)
    assert len(moments) == 13
    # 14:30 is 13:30 in UTC until 27 March, and 12:30 from 3 April on.
    assert moments[3] == datetime(2026, 3, 27, 13, 30, tzinfo=UTC)
    assert moments[4] == datetime(2026, 4, 3, 12, 30, tzinfo=UTC)
    assert event.decoded("duration") == timedelta(minutes=45)
    assert event["location"] == "Room 3"
    assert event["summary"] == "Practise: Handing over"
    # For calendars that do not know the zone: it stands in the file, with both its offsets.
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["tzid"] == event["dtstart"].params["tzid"] == "Europe/Berlin"
    offsets = {part.decoded("tzoffsetto") for part in zone.subcomponents}
    assert {timedelta(hours=1), timedelta(hours=2)} <= offsets


@pytest.mark.parametrize(("time", "day"), [("10:01", 2), ("10:00", 9), ("09:00", 9)])
def test_a_slot_that_has_begun_today_begins_next_week(leader, release, time, day):
    """It is Monday 2 November 2026, ten o'clock in Berlin."""
    planned(leader, release, weekday="0", begins_at=time)
    _, event = calendar_of(leader, release)

    assert event.decoded("dtstart").day == day


def test_a_changed_slot_changes_the_event_and_adds_none(leader, release, clock):
    planned(leader, release)
    _, before = calendar_of(leader, release)
    clock.forward(minutes=5)
    planned(leader, release, weekday="1")
    _, after = calendar_of(leader, release)

    assert before["uid"] == after["uid"]
    assert after["sequence"] > before["sequence"]


def test_line_breaks_and_signs_in_a_plan_stay_text_in_the_calendar(leader, release):
    planned(leader, release, place="A\r\nATTENDEE:mailto:evil@example.net", first_step="a;b,c\nd")
    calendar, event = calendar_of(leader, release)

    assert "attendee" not in event
    assert event["description"].endswith("a;b,c\nd")
    assert b"\r\nATTENDEE" not in calendar.to_ical()


def test_without_a_slot_there_is_no_calendar_file(leader, release):
    page = planned(leader, release, weekday="", begins_at="")

    assert "slot.ics" not in page
    assert leader.client.get(f"/rounds/{release.round_id}/practise/slot.ics").status_code == 404


def test_raters_are_thanked_once_and_all_of_them(app, leader, release, session, catcher):
    page = planned(leader, release)
    assert "“I hand over whole results”" in page
    page = leader.send({"thanks": "Thank you.\n\nI hand over more now."}, action="/thanks")
    assert "on its way to 5 people" in page
    assert "Send the message" not in page
    sweep(app)

    asked = {f"peer{n}@example.org" for n in range(5)}
    thanked = [m for m in catcher.mails if m["Subject"] == "Robin Example says thank you"]
    assert {mail["To"] for mail in thanked} == asked
    text = catcher.text_to("peer0@example.org", "The round has closed")
    assert "I hand over more now." in text
    assert "whether they answered or not" in text
    assert session.query(Mail).filter_by(kind=MailKind.THANKS).count() == 5
    session.close()
    token = leader.page.split('name="csrf_token" value="')[1].split('"')[0]
    again = leader.client.post(
        f"/rounds/{release.round_id}/practise/thanks",
        data={"csrf_token": token, "thanks": "Again."},
    )
    assert again.status_code == 409


def test_an_empty_message_is_not_sent(leader, release, session):
    planned(leader, release)
    page = leader.send({"thanks": " "}, action="/thanks")

    assert (leader.status, "Write a sentence or two" in page) == (422, True)
    assert session.query(Mail).filter_by(kind=MailKind.THANKS).count() == 0


def test_a_coach_with_access_reads_the_plan_and_nobody_else_does(
    app, leader, robin, release, session
):
    planned(leader, release)
    casey, cora = (factories.person(session, name, "coach") for name in ("Casey", "Cora"))
    andy = factories.person(session, "Andy", "administrator")
    coaching.give_access(session, session.merge(robin), casey.id, "en", NOW)
    session.commit()
    address = f"/previews/{release.round_id}"

    assert "I hand over whole results" in Visitor(app, casey).open(address)
    assert "What Robin Example practises" in Visitor(app, casey).open(address)
    for stranger in (cora, andy):
        visitor = Visitor(app, stranger)
        assert "I hand over" not in visitor.open(address)
        assert visitor.status == 404
        visitor.open(f"/rounds/{release.round_id}/practise")
        assert visitor.status in (403, 404)


def test_the_next_round_proposes_the_same_raters(leader, release, session):
    leader.open("/rounds/new")
    page = leader.send({"level": "new_lead", "last_day": "2026-11-20"})

    assert "These are the people whom you asked last time." in page
    assert "peer0 Example &lt;peer0@example.org&gt;" in page
    assert "robin@example.org" not in page
    gone = session.query(Person).filter_by(email="peer0@example.org").one()
    gone.active = False
    session.commit()
    assert "peer0@example.org" not in leader.open(leader.address)
    leader.send()
    assert "Peers</th><td>4</td>" in leader.page
    # Once somebody is named, nothing is proposed any more.
    page = leader.open(leader.address.replace("/ready", "/raters"))
    assert "whom you asked last time" not in page
