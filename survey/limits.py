"""How much one may send, and how often one may ask for codes and guess them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from reports.text import clean_line
from survey.services.people import AddressInvalid, clean_address

# For one mail address: from one place, so that a stranger at another one locks nobody out; and
# in all, so that a mailbox is not flooded from many places (which together can lock out).
CODES_FROM_HERE = "5 per 15 minutes; 20 per day"
CODES_IN_ALL = "100 per day"
WRONG_CODES = "30 per 15 minutes"
# Only links that open nothing are counted: a whole company may answer from one network address.
UNKNOWN_LINKS = parse("60 per 15 minutes")
EXTENSION = "preview360_limiter"
View = TypeVar("View", bound=Callable[..., Any])


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


def init_app(app: Flask) -> None:
    """Count requests for codes by address and place, and wrong codes by place.

    Counting by mail address alone would let anybody lock a person out; counting by network
    address alone would let one flood a mailbox.
    """
    limiter = Limiter(key_func=get_remote_address, storage_uri="memory://", app=app)
    # Its limits know it only weakly, so somebody has to hold it.
    app.extensions[EXTENSION] = limiter
    views: dict[str, Any] = app.view_functions
    for endpoint, limit, more in (
        ("account.sign_in", CODES_IN_ALL, {"key_func": _posted_address}),
        ("account.sign_in", CODES_FROM_HERE, {"key_func": _asked_from}),
        ("account.code", WRONG_CODES, {"deduct_when": _was_wrong}),
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


def _was_wrong(response: Response) -> bool:
    return response.status_code == 422
