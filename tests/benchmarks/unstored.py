"""`preview360 serve`, and beside it a page that reads and checks a part as it is, storing nothing.

Also one that only says hello.
"""

from __future__ import annotations

import sys

from flask import Flask

from survey import create_app
from survey.access import allow
from survey.forms.rater import part_form, parts_asked
from survey.server import Server, serve_until_stopped
from survey.services import questionnaires

CHECKED = "/checked"


def with_twins(app: Flask) -> Flask:
    """Add both pages."""
    part, *_ = parts_asked(
        questionnaires.shipped("technical_leader"), "new_lead", "peer", identified=False
    )

    @app.get("/hello")
    @allow("anybody")
    def hello() -> str:
        return "hello"

    @app.post(CHECKED)
    @allow("anybody")
    def checked() -> tuple[str, int]:
        form = part_form(part)
        return ("", 204) if form.validate_on_submit() and form.changes().items else ("", 422)

    return app


if __name__ == "__main__":
    app = with_twins(create_app())
    serve_until_stopped(app, Server(app, "127.0.0.1", int(sys.argv[1])))
