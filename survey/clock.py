"""The clock, and the days it makes where an organisation is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Clock = Callable[[], datetime]
# Days beyond these are refused where it is known why; here they only must not overflow.
FIRST, LAST = date(1000, 1, 1), date(9000, 1, 1)


def utc_now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which a day is over in a zone."""
    return datetime.combine(min(max(day, FIRST), LAST) + timedelta(days=1), time(), zone)


def last_day(end: datetime, zone: tzinfo) -> date:
    """Return the day that ends at a moment, in a zone."""
    return (end.astimezone(zone) - timedelta(seconds=1)).date()
