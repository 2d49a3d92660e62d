"""How much one may send, and how often one may ask for codes and guess them."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse
from limits.storage import MemoryStorage, Storage
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from reports.text import clean_line
from survey import access
from survey.bell import Bell
from survey.clock import Clock
from survey.services.people import AddressInvalid, clean_address

# For one mail address: from one place, so that a stranger at another one locks nobody out; and
# in all, so that a mailbox is not flooded from many places (which together can lock out).
CODES_FROM_HERE = "5 per 15 minutes; 20 per day"
CODES_IN_ALL = "100 per day"
WRONG_CODES = "30 per 15 minutes"
# All tries of one person, wherever they come from: only who reads their mails gets so far.
SECOND_STEPS = "5 per 15 minutes; 20 per day"
# Each leaves a row for ten minutes; a whole company may come from one network address.
CHALLENGES = "600 per 15 minutes"
# Only links that open nothing are counted: a whole company may answer from one network address.
UNKNOWN_LINKS = parse("60 per 15 minutes")
BEFORE_ASKING_AGAIN = timedelta(seconds=10)
log = logging.getLogger(__name__)
EXTENSION = "preview360_limiter"
View = TypeVar("View", bound=Callable[..., Any])


class SharedCounts(Storage):
    """Counts of all processes together, in the queue's store; of this process while that is away.

    Who is counted stands there under numbers that only the holder of `secret` can make.
    """

    STORAGE_SCHEME = ["preview360"]  # noqa: RUF012 # the registry wants a list
    base_exceptions = Exception

    def __init__(self, uri: str, bell: Bell, clock: Clock, secret: bytes) -> None:
        super().__init__(uri)
        self._bell, self._clock, self._secret = bell, clock, secret
        self._own = MemoryStorage()
        self._away_until: datetime | None = None

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in the window of `expiry` seconds that is open now; return how many there are."""
        now = self._clock()
        if self._away_until and now < self._away_until:
            return self._own.incr(key, expiry, amount)
        window = int(now.timestamp()) // expiry
        name = hmac.digest(self._secret, f"count {window} {key}".encode(), hashlib.sha256).hex()
        try:
            return int(self._bell.queue().storage.incr(name, amount))
        except Exception as error:
            # Its message may hold a password.
            log.warning("the queue cannot count: %s", type(error).__name__)
            self._away_until = now + BEFORE_ASKING_AGAIN
            return self._own.incr(key, expiry, amount)

    def get(self, key: str) -> int:
        """Return how many were counted; how long the window is stands at the end of the key."""
        return self.incr(key, _seconds(key), 0)

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since 1970."""
        return (int(self._clock().timestamp()) // _seconds(key) + 1) * _seconds(key)

    def check(self) -> bool:
        """Say that there is always something to count with."""
        return True

    def reset(self) -> None:
        """Forget all counts."""
        self._bell.forget_counts()

    def clear(self, key: str) -> None:
        """Forget one count."""
        self.incr(key, _seconds(key), -self.get(key))


def _seconds(key: str) -> int:
    """Return the seconds of a limit that names itself at the end of its key: …/5/15/minute."""
    multiples, unit = key.split("/")[-2:]
    return parse(f"1 per {multiples} {unit}").get_expiry()


def takes(most_bytes: int) -> Callable[[View], View]:
    """Let a view take larger files than others."""

    def mark(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


def init_sizes(app: Flask) -> None:
    """Set each view's size before anything reads the request."""
    app.before_request(_set_size)


def _set_size() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    most = getattr(view, "most_bytes", None)
    # Only files may be large: a form of many small fields costs far more to read.
    if most is not None and request.mimetype == "multipart/form-data":
        request.max_content_length = most


def init_app(app: Flask, bell: Bell, clock: Clock, secret: bytes) -> None:
    """Count requests for codes by address and place, and wrong codes by place.

    Counting by mail address alone would let anybody lock a person out; counting by network
    address alone would let one flood a mailbox.
    """
    limiter = Limiter(
        key_func=get_remote_address,
        storage_uri="preview360://",
        storage_options={"bell": bell, "clock": clock, "secret": secret},  # type: ignore[dict-item]
        app=app,
    )
    # Its limits know it only weakly, so somebody has to hold it.
    app.extensions[EXTENSION] = limiter
    views: dict[str, Any] = app.view_functions
    for endpoint, limit, more in (
        ("account.sign_in", CODES_IN_ALL, {"key_func": _posted_address}),
        ("account.sign_in", CODES_FROM_HERE, {"key_func": _asked_from}),
        ("account.code", WRONG_CODES, {"deduct_when": _was_wrong}),
        ("second_step.ask", SECOND_STEPS, {"key_func": _who_waits}),
        ("second_step.ask_for_any", CHALLENGES, {}),
    ):
        counted: dict[str, Any] = {"methods": ["POST"], **more}
        views[endpoint] = limiter.limit(limit, **counted)(views[endpoint])


def count_unknown_link() -> None:
    """Count a link that opens nothing. Raises TooManyRequests after many from one place.

    A link that does open is never kept waiting, wherever it comes from.
    """
    limiter: Limiter = current_app.extensions[EXTENSION]
    if limiter.enabled and not limiter.limiter.hit(UNKNOWN_LINKS, "link", get_remote_address()):
        raise TooManyRequests


def _posted_address() -> str:
    """Return the address as its form and service will read it, so that each is counted once."""
    typed = clean_line(request.form.get("email"))[:320]
    try:
        return clean_address(typed)
    except AddressInvalid:
        return typed.lower()


def _asked_from() -> str:
    return f"{get_remote_address()} {_posted_address()}"


def _who_waits() -> str:
    waiting = access.waiting()
    return str(waiting.id) if waiting else get_remote_address()


def _was_wrong(response: Response) -> bool:
    return response.status_code == 422
