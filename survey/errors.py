"""Refusals: exceptions that carry their HTTP status and a sentence for the person concerned."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

# Says a message, its named gaps filled, in one language.
Gettext = Callable[..., str]


def marked(message: str) -> str:
    """Mark a message for translation where it is written; it is said later, elsewhere."""
    return message


class Refused(Exception):
    """Something that is not done, and why: `message` is a sentence with named gaps.

    One handler turns it into a page, the command line into an exit code of 1.
    """

    status = 400
    message = marked("This cannot be done.")

    def __init__(self, message: str | None = None, **gaps: object) -> None:
        self.message = message or self.message
        self.gaps = gaps
        super().__init__(self.message)

    def said(self, gettext: Gettext) -> str:
        """Return the sentence in a language."""
        return gettext(self.message, **self.gaps)

    def __str__(self) -> str:
        return self.said(_in_english)


def _in_english(message: str, **gaps: object) -> str:
    return message % gaps if gaps else message


class NotFound(Refused):
    """There is nothing of that kind, or it is not this person's; which of the two is not told."""

    status = 404
    message = marked("There is nothing here, or it is not yours to see.")


class NotAllowed(Refused):
    """The person is known and may not do this."""

    status = 403
    message = marked("You may not do this.")


class Conflict(Refused):
    """The state of things does not allow it (any more)."""

    status = 409
    message = marked("This is no longer possible.")


def for_log(error: BaseException) -> str:
    """Return what a log may know of an error: what kind and where, never what was typed or stored.

    An error's message may quote either. So does PostgreSQL's where it gives a state to it; what
    has none is about the connection.
    """
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        told = str(error.orig).partition("\n")[0]
        return f"{type(error.orig).__name__} ({state})" if state else told
    where = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{where}"
