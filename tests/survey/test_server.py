"""Stopping the server hangs up on nobody who has asked for something."""

import signal
import socket
import sys
import time

import pytest

from survey.clock import utc_now
from survey.demo.catcher import free_port
from survey.services import ballots
from tests import factories
from tests.conftest import on_sqlite
from tests.launching import PROGRAM, environment, running
from tests.phone import ITEM, Save

ASKED = 12


@pytest.fixture
def links(session, keyring):
    round_ = factories.opened(session, keyring, now=utc_now(), roster={"peer": ASKED})
    links = factories.links(session, keyring, round_)
    session.close()
    return [link for name, link in links.items() if name.startswith("peer")]


def saved(session, keyring, links):
    """How many answers are stored."""
    drafts = [
        ballots.draft(session, ballots.rater(session, keyring, link, utc_now())) for link in links
    ]
    session.close()
    return sum(draft.items.get(ITEM) == 4 for draft in drafts)


@on_sqlite
@pytest.mark.parametrize(
    ("command", "hangs_up"),
    [
        ([PROGRAM, "serve", "--port"], False),
        ([sys.executable, "-m", "tests.survey.hangs_up"], True),
    ],
    ids=["preview360 serve", "waitress by itself"],
)
def test_whoever_has_asked_before_the_server_stops_is_answered(
    settings, session, keyring, links, command, hangs_up
):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = environment(settings.model_copy(update={"base_url": url}))
    with running([*command, str(port)], port, env=told) as server:
        saves = [Save(url, link) for link in links]
        sending, waiting = saves[: ASKED // 2], saves[ASKED // 2 :]
        for save in sending:
            save.connect()
            save.send_half()
        time.sleep(0.5)
        # Their connections stand before the server is told to stop, and it has seen none of them.
        server.send_signal(signal.SIGSTOP)
        for save in waiting:
            save.connect()
            save.send_half()
        server.send_signal(signal.SIGTERM)
        server.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        for save in saves:
            try:
                save.send_rest()
            except OSError:
                assert hangs_up
        answers = [save.answer() for save in saves]
        if hangs_up:
            assert 204 not in answers
            return
        assert answers == [204] * ASKED
        assert server.wait(timeout=30) == 0
    assert saved(session, keyring, links) == ASKED


@on_sqlite
def test_whoever_only_keeps_a_line_open_holds_up_no_stop(settings, session):
    port = free_port()
    told = environment(settings)
    with running([PROGRAM, "serve", "--port", str(port)], port, env=told) as server:
        with socket.create_connection(("127.0.0.1", port), timeout=15) as line:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not (got := line.recv(10_000)).endswith(b"alive\n"):
                assert got
            server.send_signal(signal.SIGTERM)
            # Ended by the server, well before it would stop waiting for the others.
            assert line.recv(10_000) == b""
        assert server.wait(timeout=30) == 0
