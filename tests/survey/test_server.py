"""Stopping the server hangs up on nobody who has asked for something."""

import os
import signal
import socket
import sys
import time
from contextlib import suppress

import pytest

from survey.clock import utc_now
from survey.demo.catcher import free_port
from survey.services import ballots
from tests import factories
from tests.conftest import on_sqlite
from tests.launching import GUNICORN, PROGRAM, environment, running
from tests.phone import ITEM, Save

ASKED = 12
# As systemd starts a service whose socket it keeps: it is file 3.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


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


def asked_while_it_stops(server, url, links):
    """Ask a server for saves and to stop; return what was asked."""
    saves = [Save(url, link) for link in links]
    sending, waiting = saves[: ASKED // 2], saves[ASKED // 2 :]
    for save in sending:
        save.connect()
        save.send_half()
    time.sleep(0.5)
    # Their connections stand before the server is told to stop, and it has seen none of them.
    os.killpg(server.pid, signal.SIGSTOP)
    for save in waiting:
        save.connect()
        save.send_half()
    server.send_signal(signal.SIGTERM)
    os.killpg(server.pid, signal.SIGCONT)
    time.sleep(0.5)
    for save in saves:
        with suppress(OSError):
            save.send_rest()
    return saves


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
    with running([*command, str(port)], port, env=told, start_new_session=True) as server:
        answers = [save.answer() for save in asked_while_it_stops(server, url, links)]
        if hangs_up:
            assert 204 not in answers
            return
        assert answers == [204] * ASKED
        assert server.wait(timeout=30) == 0
    assert saved(session, keyring, links) == ASKED


@on_sqlite
def test_whoever_asks_while_gunicorn_is_restarted_is_answered(settings, session, keyring, links):
    """Something else keeps the socket meanwhile, as systemd does."""
    with socket.create_server(("127.0.0.1", 0)) as kept:
        port = kept.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        told = environment(settings.model_copy(update={"base_url": url}), LISTEN_FDS="1")
        more = {"env": told, "pass_fds": [kept.fileno()], "start_new_session": True}
        command = [sys.executable, "-c", HAND_OVER, str(kept.fileno()), *GUNICORN]
        with running(command, port, **more) as server:
            saves = asked_while_it_stops(server, url, links)
            assert server.wait(timeout=60) == 0
        with running(command, port, **more):
            assert [save.answer() for save in saves] == [204] * ASKED
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
