"""What a process that serves people cannot do without."""

from __future__ import annotations

import os

from sqlalchemy.exc import SQLAlchemyError

from survey import db
from survey.site import Site


def lacking(site: Site) -> list[str]:
    """Return what is missing now, in words that may be read by anybody; nothing if all is there."""
    found = []
    try:
        if not db.is_up_to_date():
            found.append("the database is not of this version")
    except SQLAlchemyError:
        found.append("the database cannot be reached")
    # Only looked at: a key that is read would be made where there is none.
    if not os.access(site.keyring.path, os.R_OK | os.X_OK):
        found.append("the keyring cannot be used")
    return found
