"""Lines of the log say what failed, when, and in which request; never an address or a link."""

import json
import logging

import pytest
from waitress.task import ThreadedTaskDispatcher

from survey import create_app, logs
from survey.access import allow
from tests.conftest import on_sqlite

TOLD = "550 ann@example.org refused <ann@example.org> at https://x.example.org/r/AbC-d_e.f?x=1"


@pytest.fixture
def begin(capsys):
    """Begin to log; return what gives the lines since."""
    root = logging.getLogger()
    before = root.handlers, root.level

    def begun(form):
        logs.begin(form)
        return lambda: capsys.readouterr().err.splitlines()

    yield begun
    root.handlers, root.level = before


def test_a_request_that_has_to_wait_leaves_no_line_with_its_moment(begin):
    usual = logging.getLogger("waitress.queue")
    before = usual.level
    full = ThreadedTaskDispatcher()
    lines = begin("text")
    try:
        usual.setLevel(logging.NOTSET)
        full.add_task(object())
        assert any("queue depth" in line for line in lines()), "the attack wins without the rule"
        logs.begin("text")
        full.add_task(object())
        assert lines() == []
    finally:
        usual.setLevel(before)


def test_what_a_library_says_is_said_without_addresses_and_links(begin):
    lines = begin("json")
    usual = logging.getLogger("a.library")
    usual.error("the server said: %s", TOLD)
    try:
        raise ValueError(TOLD)
    except ValueError:
        usual.exception("it failed")

    first, second = map(json.loads, lines())
    assert first["event"] == (
        "the server said: 550 (address) refused <(address)> at https://x.example.org/r/(link)?x=1"
    )
    assert first["level"] == "error"
    assert first["logger"] == "a.library"
    assert first["timestamp"].endswith("Z")
    assert "ValueError" in second["exception"]
    assert "example.org refused" not in str(second)
    assert "AbC-d_e" not in str(second)


def test_for_people_a_line_begins_with_time_and_what_happened(begin):
    lines = begin("text")
    logging.getLogger("a.library").warning("to ann@example.org")

    [line] = lines()
    assert line.startswith("timestamp='20")
    assert "event='to (address)'" in line


@on_sqlite
def test_a_line_and_its_answer_carry_the_same_id(settings, begin):
    lines = begin("json")
    app = create_app(settings)

    @app.get("/fails")
    @allow("anybody")
    def fails() -> str:
        raise RuntimeError("words of a rater")

    answers = [app.test_client().get("/fails") for _ in range(2)]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 2
    assert [json.loads(line)["request"] for line in lines()] == ids
    assert {answer.status_code for answer in answers} == {500}


@pytest.mark.parametrize("database", ["postgresql"])
def test_a_request_without_a_database_is_said_with_its_own_id(settings, begin):
    """Not with that of the request before it in the same thread."""
    lines = begin("json")
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
    client = create_app(settings.model_copy(update={"database_url": url})).test_client()
    before, away = client.get("/health"), client.get("/confidentiality")

    assert (before.status_code, away.status_code) == (200, 503)
    ids = {json.loads(line)["request"] for line in lines()}
    assert ids == {away.headers["X-Request-ID"]}
    assert before.headers["X-Request-ID"] not in ids


@on_sqlite
@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [(1, "abcdef12-3456", True), (0, "abcdef12-3456", False), (1, 'x" y', False)],
)
def test_the_id_of_a_proxy_is_taken_where_one_is_declared(settings, proxies, given, taken):
    client = create_app(settings.model_copy(update={"proxies": proxies})).test_client()
    answer = client.get("/health", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) is taken
