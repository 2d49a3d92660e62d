"""Whether this process answers and can do its work, for whatever watches it.

None of these pages names anybody, and none needs a cookie.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, request
from werkzeug.wrappers import Response

from survey import db, health
from survey.access import allow
from survey.errors import NotFound
from survey.metrics import metrics
from survey.site import site

bp = Blueprint("health", __name__)
# Probes ask a machine by its number; these pages contain no link that could lead elsewhere.
UNDER_ANY_HOST = ("/health", "/ready", "/metrics")


@bp.get("/health")
@allow("anybody")
def alive() -> Response:
    """Say that this process answers."""
    return _plain("alive", 200)


@bp.get("/ready")
@allow("anybody")
def ready() -> Response:
    """Say whether this process can serve people now, or what it lacks."""
    lacking = health.lacking(site())
    return _plain(f"not ready: {', '.join(lacking)}", 503) if lacking else _plain("ready", 200)


@bp.get("/metrics")
@allow("anybody")
def figures() -> Response:
    """Say what waits and what failed, to whoever has the key that the settings hold."""
    key = site().settings.metrics_key
    if not key:
        raise NotFound
    given = request.authorization
    token = (given.token or "") if given is not None and given.type == "bearer" else ""
    if not hmac.compare_digest(token.encode(), key.encode()):
        refused = _plain("show the key as a bearer token", 401)
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    content = metrics().text(site(), db.session())
    return Response(content, content_type="text/plain; version=0.0.4; charset=utf-8")


def _plain(words: str, status: int) -> Response:
    return Response(f"{words}\n", status, content_type="text/plain; charset=utf-8")
