"""One handler for what is refused or fails: a page with a sentence and the right status.

Where a rater's page could not be saved, it gives everything back that was typed,
with a button that sends it again or, where that cannot help, to copy.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError
from werkzeug.wrappers import Response

from survey import api
from survey.db import SAFE_METHODS, forget_session
from survey.errors import NotAllowed, NotFound, Refused, for_log, marked
from survey.keyring import KeyringUnusable
from survey.speech import say

SENTENCES = {
    400: marked("The browser sent something that makes no sense here."),
    403: NotAllowed.message,
    404: NotFound.message,
    405: marked("This page cannot be used like that."),
    413: marked(
        "That is more than this page takes, so nothing of it was saved. Go back in your browser: "
        "what you typed is still there."
    ),
    429: marked(
        "Too many attempts in a short time. Please wait a quarter of an hour and try again."
    ),
    500: marked(
        "Something went wrong on the server. Nothing was lost; please try again in a moment."
    ),
}
NOT_SAVED = marked(
    "This could not be saved just now: the server has no room left or is busy. Nothing that was "
    "saved before is lost; please wait a moment and try again."
)
NOT_READ = marked(
    "The server cannot reach its database just now. Nothing was lost; please try again in a while."
)
NO_KEYS = marked(
    "The server cannot reach its keys just now. Nothing was lost; please try again in a while."
)
NOT_OURS = marked(
    "The browser did not send back this site's cookie, so the page was not accepted. Please try "
    "again."
)


def init_app(app: Flask) -> None:
    """Turn exceptions into pages."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(KeyringUnusable, _keyring)
    app.register_error_handler(OperationalError, _storage)
    # What PostgreSQL says where a page that is only read would write.
    app.register_error_handler(InternalError, _storage)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(500, _http)


Page = tuple[str, int]


def _refused(error: Refused) -> Page | Response:
    if api.is_asked():
        forget_session()
        return api.problem(error.said(say().gettext), error.status, error)
    return _give_back(error.said(say().gettext), error.status, again=False)


def _keyring(error: KeyringUnusable) -> Page | Response:
    _log(error)
    # The reason names files of the server, and is for its log.
    return _give_back(say().gettext(NO_KEYS), error.status, again=True)


def _storage(error: DBAPIError) -> Page | Response:
    _log(error)
    sentence = NOT_READ if request.method in SAFE_METHODS else NOT_SAVED
    return _give_back(say().gettext(sentence), 503, again=True)


def _csrf(_error: CSRFError) -> Page | Response:
    return _give_back(say().gettext(NOT_OURS), 400, again=True)


def _http(error: HTTPException) -> Page | Response:
    status = error.code or 500
    sentence = say().gettext(SENTENCES.get(status, SENTENCES[400]))
    # Of what was too large, nothing was read.
    given = _page(sentence, status) if status == 413 else _give_back(sentence, status, again=True)
    answer = make_response(given)
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _foreign_host(_error: SecurityError) -> Response:
    """Answer without a page of ours: its addresses would lead to a host that is not ours."""
    return Response("This server does not answer for that host.\n", 400, mimetype="text/plain")


def _give_back(sentence: str, status: int, *, again: bool) -> Page | Response:
    """Answer a rater's page with what was typed in it, to send again or to copy.

    Any other page is answered with the sentence alone.
    """
    # Not a rollback: it would load whoever is signed in anew, perhaps from a database that is away.
    forget_session()
    typed: list[tuple[str, str]] = []
    is_raters = request.method == "POST" and request.blueprint == "rater"
    if is_raters:
        typed = [(name, value) for name, value in request.form.items(multi=True)]
        typed = [(name, value) for name, value in typed if name != "csrf_token"]
    return _page(sentence, status, typed, again=again and is_raters)


def _page(
    sentence: str, status: int, typed: Sequence[tuple[str, str]] = (), *, again: bool = False
) -> Page | Response:
    if api.is_asked():
        return api.problem(sentence, status)
    page = render_template(
        "survey/errors/refused.html", sentence=sentence, status=status, typed=typed, again=again
    )
    return page, status


def _log(error: BaseException) -> None:
    current_app.logger.error("%s %s: %s", request.method, request.endpoint, for_log(error))
