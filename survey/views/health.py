"""Whether this process answers and can do its work, for whatever watches it.

Both pages say nothing of rounds or people, and need neither cookie nor database to answer.
"""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from survey import health
from survey.access import allow
from survey.site import site

bp = Blueprint("health", __name__)


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


def _plain(words: str, status: int) -> Response:
    return Response(f"{words}\n", status, content_type="text/plain; charset=utf-8")
