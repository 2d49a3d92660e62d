"""What belongs to one running installation: its settings, keyring and clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast

from flask import current_app

from survey.clock import Clock
from survey.config import Settings
from survey.keyring import Keyring

EXTENSION = "preview360"


@dataclass
class Site:
    """One installation."""

    settings: Settings
    keyring: Keyring
    clock: Clock

    def now(self) -> datetime:
        """Return this moment in UTC."""
        return self.clock()

    def end_of(self, day: date) -> datetime:
        """Return the moment at which a closing day is over, where the organisation is."""
        return datetime.combine(day + timedelta(days=1), time(), self.settings.zone())

    def last_day(self, closes_at: datetime) -> date:
        """Return the day that ends at a moment."""
        return (closes_at.astimezone(self.settings.zone()) - timedelta(seconds=1)).date()


def site() -> Site:
    """Return the installation that the running application serves."""
    return cast(Site, current_app.extensions[EXTENSION])
