"""What a rater's pages cost, beside a page that only says hello and one that stores nothing."""

from __future__ import annotations

import io
import statistics
import sys
from urllib.parse import urlencode

import flask_migrate
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from survey import create_app, db
from survey.clock import utc_now
from survey.demo.browser import form_to
from survey.demo.catcher import free_port
from survey.site import EXTENSION
from tests import factories
from tests.benchmarks.bench_preview import cpu
from tests.benchmarks.unstored import CHECKED, with_twins
from tests.conftest import installation
from tests.launching import environment, launched, running
from tests.load.driver import answer

AT_ONCE, EACH, TURNS = 8, 200, 5


@pytest.fixture
def installed(tmp_path):
    """An installation with one round, and the links of eight of its raters."""
    port = free_port()
    settings = installation(tmp_path, base_url=f"http://127.0.0.1:{port}")
    app = with_twins(create_app(settings))
    with app.app_context():
        flask_migrate.upgrade()
        session, keyring = db.session(), app.extensions[EXTENSION].keyring
        round_ = factories.opened(session, keyring, now=utc_now(), roster={"peer": AT_ONCE})
        links = factories.links(session, keyring, round_)
        session.commit()
    yield app, settings, port, [f"/r/{link}" for name, link in links.items() if name != "robin"]
    app.extensions[EXTENSION].bell.close()
    with app.app_context():
        db.db.engine.dispose()


class Caller:
    """Asks an application without a server in between."""

    def __init__(self, app, host):
        self.app, self.base, self.cookie = app, f"http://{host}", ""

    def ready(self, path, values=None):
        """Return what sends a request, again and again; prepared, so that only answering costs."""
        body = urlencode(values or {}).encode()
        method = "GET" if values is None else "POST"
        made = EnvironBuilder(
            path,
            self.base,
            method=method,
            headers={"Cookie": self.cookie},
            content_type="application/x-www-form-urlencoded",
            input_stream=io.BytesIO(body),
            content_length=len(body),
        ).get_environ()

        def send():
            sent = {**made, "wsgi.input": io.BytesIO(body)}
            content, status, headers = run_wsgi_app(self.app.wsgi_app, sent, buffered=True)
            assert status[0] in "23", status
            self.cookie = headers.get("Set-Cookie", self.cookie).partition(";")[0]
            return b"".join(content).decode()

        return send

    def ask(self, path, values=None):
        return self.ready(path, values)()


def hundred_times(function):
    def again():
        for _ in range(100):
            function()

    return cpu(again)


def test_a_rater_s_pages_cost_little_more_than_saying_hello(installed, timed, ratio):
    app, _, port, [link, *_] = installed
    caller = Caller(app, f"127.0.0.1:{port}")
    caller.ask(f"{link}/start", form_to(caller.ask(link), "/start").fields)
    path = f"{link}/part/1"
    form = form_to(caller.ask(path), "")
    values = {name: str(answer(link, name)) for name in form.asks} | form.fields
    found = timed(
        hello=hundred_times(caller.ready("/hello")),
        page=hundred_times(caller.ready(path)),
        save=hundred_times(caller.ready(path, values)),
    )
    ratio("Opening a page of the questionnaire / saying hello", found["page"] / found["hello"], 20)
    ratio("Saving a page, sealed and safe on disk / saying hello",
          found["save"] / found["hello"], 10)  # fmt: skip


def test_eight_who_save_at_once_wait_for_one_another_in_turn(installed, ratio):
    _, settings, port, links = installed
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.benchmarks.unstored", str(port)]
    with running(command, port, env=environment(settings)), launched("tests.load.driver") as order:
        order(do="saves", url=url, links=links, each=20)
        stored, checked = [], []
        for _ in range(TURNS):
            stored.append(order(do="saves", url=url, links=links, each=EACH))
            checked.append(order(do="saves", url=url, links=links, each=EACH, instead=CHECKED))

    errors = sum(len(turn["errors"]) for turn in (*stored, *checked))
    ratio("Eight raters who save at once: errors", errors, 0, "")
    spread = [percentile(turn, 99) / percentile(turn, 50) for turn in stored]
    ratio("… their 99th percentile / median", statistics.median(spread), 4)
    faster = [twin["seconds"] / turn["seconds"] for turn, twin in zip(stored, checked, strict=True)]
    ratio("… saves a second / the same read and checked, not stored",
          statistics.median(faster), 0.25, at_least=True)  # fmt: skip


def percentile(turn, share):
    times = sorted(turn["times"]["save"])
    assert len(times) == AT_ONCE * EACH, turn["errors"][:3]
    return times[len(times) * share // 100]
