"""The weekly slot as a calendar file (RFC 5545)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from survey.services.practices import Slot

WEEKS = 13
BEFORE = timedelta(minutes=10)


def weekly_slot(
    slot: Slot,
    uid: str,
    summary: str,
    description: str,
    zone: ZoneInfo,
    now: datetime,
) -> bytes:
    """Return a calendar with one event a week for three months, the next one first.

    The time is that of the wall clock in `zone`, also across the change to summer time; the file
    says how that zone changes, for calendars that do not know it. The same uid changes an event
    that was imported before instead of adding one.
    """
    begins = datetime.combine(_next(slot, now.astimezone(zone)), slot.begins_at, zone)
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", now)
    event.add("sequence", int(now.timestamp()))
    event.add("dtstart", begins)
    event.add("duration", timedelta(minutes=slot.minutes))
    event.add("rrule", {"freq": "weekly", "count": WEEKS})
    event.add("summary", summary)
    event.add("description", description)
    if slot.place:
        event.add("location", slot.place)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", -BEFORE)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//Preview360//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _next(slot: Slot, now: datetime) -> date:
    """Return the next day with this weekday on which the slot has not begun yet."""
    ahead = (slot.weekday - now.weekday()) % 7
    if ahead == 0 and slot.begins_at <= now.time():
        ahead = 7
    return now.date() + timedelta(days=ahead)
