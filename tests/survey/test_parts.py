"""The page of parts shows them all, so that whoever changes one sees what it looks like."""

import re

from questionnaires.loader import INSTRUMENTS
from survey.demo import parts
from survey.models import RoundState
from tests.conftest import on_sqlite
from tests.visitor import Visitor

# What is looked at are pages.
pytestmark = on_sqlite

MACROS = INSTRUMENTS.parents[1] / "templates" / "survey" / "macros.html"
TEMPLATE = INSTRUMENTS.parents[1] / "templates" / "demo" / "parts.html"


def test_every_token_and_every_macro_is_on_the_page(app):
    app.register_blueprint(parts.bp)
    page = Visitor(app).open("/parts")
    names = re.findall(r"{% macro (\w+)", MACROS.read_text())
    assert len(names) > 8
    used = TEMPLATE.read_text()
    # These are seen in others, or not at all.
    assert [name for name in names if f"{name}(" not in used] == [
        "csrf",
        "errors_of",
        "preview_style",
        "looks_again",
    ]
    assert "Say what is wrong here" in page
    assert len(parts.tokens()) == 13
    for token in parts.tokens():
        assert f"--{token}" in page
    assert all(f"<code>{state.value}</code>" in page for state in RoundState)


def test_an_installation_does_not_have_it(app):
    visitor = Visitor(app)
    visitor.open("/parts")
    assert visitor.status == 404
