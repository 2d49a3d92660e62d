"""What belongs to one running installation: its settings, keyring and clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app

from reports.printing import Printer
from survey import clock
from survey.bell import Bell
from survey.clock import Clock
from survey.config import Settings
from survey.keyring import Keyring
from survey.services.retention import Keep

EXTENSION = "preview360"


@dataclass
class Site:
    """One installation."""

    settings: Settings
    keyring: Keyring
    clock: Clock
    bell: Bell
    printer: Printer = field(default_factory=Printer)
    # Set once this process was asked to stop: whoever works ends after what is begun.
    stopping: threading.Event = field(default_factory=threading.Event)
    # When this process tries again to close a round that it could not close.
    close_again: dict[UUID, datetime] = field(default_factory=dict)

    def now(self) -> datetime:
        """Return this moment in UTC."""
        return self.clock()

    def end_of(self, day: date) -> datetime:
        """Return the moment at which a closing day is over, where the organisation is."""
        return clock.end_of(day, self.settings.zone())

    def last_day(self, closes_at: datetime) -> date:
        """Return the day that ends at a moment."""
        return clock.last_day(closes_at, self.settings.zone())

    def keep(self) -> Keep:
        """Return how long things are kept here."""
        return Keep(self.settings.keep_previews, self.settings.keep_records)

    def printed_since(self) -> date:
        """Return the first day whose new previews are kept as PDFs."""
        return self.today() - timedelta(days=self.settings.print_ahead - 1)

    def host(self) -> str:
        """Return the name under which people reach this server."""
        return urlsplit(self.settings.base_url).hostname or "localhost"

    def passkey_origin(self) -> str | None:
        """Return our address as browsers name it for passkeys; None where they make none.

        They need https (or this very machine), and a name instead of an IP address.
        """
        host = self.host()
        if not (self.settings.is_secure() or host == "localhost") or ":" in host:
            return None
        return None if host.replace(".", "").isdigit() else self.settings.base_url

    def today(self) -> date:
        """Return the day that it is where the organisation is."""
        return self.day_of(self.now())

    def day_of(self, moment: datetime) -> date:
        """Return the day of a moment where the organisation is."""
        return moment.astimezone(self.settings.zone()).date()


def site() -> Site:
    """Return the installation that the running application serves."""
    return cast(Site, current_app.extensions[EXTENSION])
