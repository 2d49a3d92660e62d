"""The coach's shelf."""

from __future__ import annotations

from flask import Blueprint, render_template

from survey.access import allow, person
from survey.db import session
from survey.services import coaching
from survey.site import site

bp = Blueprint("coach", __name__, url_prefix="/shelf")


@bp.get("")
@allow("coach")
def shelf() -> str:
    """List the leaders who gave access, with the state of each round."""
    return render_template(
        "survey/coach/shelf.html",
        shelf=coaching.shelf(session(), person()),
        now=site().now(),
        last_day=site().last_day,
    )
