"""What happens to answers: for raters, and for whoever wants to know before they answer."""

from __future__ import annotations

from flask import Blueprint, render_template

from reports.partition import SMALLEST_K
from reports.rules import LEADERS_FROM, rules
from survey.access import allow
from survey.site import site

bp = Blueprint("promise", __name__)


@bp.get("/confidentiality")
@allow("anybody")
def show() -> str:
    """Say what is seen by whom, and what is not protected; mails link here."""
    settings = site().settings
    return render_template(
        "survey/promise/show.html",
        # What holds for every round; one of a larger k says so on its start page.
        rules=rules(SMALLEST_K),
        leaders_from=LEADERS_FROM,
        contact=settings.contact,
        organisation=settings.organisation,
    )
