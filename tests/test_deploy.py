"""The files in `deploy/` do what they are for, with the servers that they are for."""

import http.client
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress

import pytest
from sqlalchemy import select

from survey.clock import utc_now
from survey.demo.browser import Browser
from survey.demo.catcher import free_port
from survey.models import Answered, Invitation
from tests import factories
from tests.conftest import METRICS_KEY, on_sqlite
from tests.launching import GUNICORN, PROGRAM, environment, running
from tests.proxies import HOST, in_front_of

PROXIES = ["nginx", "caddy"]
WORDS = "Unmistakable words. "
MOST = 60


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"base_url": f"https://{HOST}", "proxies": 1})


@pytest.fixture
def link(session, keyring):
    round_ = factories.opened(session, keyring, now=utc_now())
    [link] = [
        link for name, link in factories.links(session, keyring, round_).items() if name == "peer0"
    ]
    session.close()
    return link


@contextmanager
def machine(settings, *command):
    """A process that serves pages on a port of its own; its URL, and what stops it."""
    port = free_port()
    listen = f"127.0.0.1:{port}" if command[0] in GUNICORN else str(port)
    with running([*command, listen], port, env=environment(settings)) as process:

        def stop():
            process.terminate()
            assert process.wait(timeout=60) == 0

        yield f"http://127.0.0.1:{port}", stop


def line_to(proxy):
    plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
    return proxy.trust.wrap_socket(plain, server_hostname=HOST)


def status_of(line):
    try:
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def asked(proxy, raw):
    with line_to(proxy) as line:
        # Refused before everything is sent, perhaps.
        with suppress(OSError):
            line.sendall(raw)
        return status_of(line)


def what_it_keeps(proxy, link, stop_server):
    """Do everything to a proxy that it could note; return which secrets stand on its disk."""
    found = set()

    def look():
        written = proxy.written()
        secrets = {"link": link.encode(), "words": WORDS.encode()}
        found.update(name for name, secret in secrets.items() if secret in written)

    head = f"Host: {HOST}\r\nConnection: close\r\n"
    body = (WORDS * 5000).encode()
    send = f"POST /r/{link}/part/10 HTTP/1.1\r\n{head}Content-Length: "
    assert asked(proxy, f"GET /r/{link} HTTP/1.1\r\n{head}\r\n".encode()) == 200
    with line_to(proxy) as line:
        line.sendall(f"{send}{len(body)}\r\n\r\n".encode() + body[:-10])
        time.sleep(0.5)
        look()
        line.sendall(body[-10:])
        assert status_of(line) in (400, 409, 422)
    too_large = asked(proxy, f"{send}{70 * len(body)}\r\n\r\n".encode() + 70 * body)
    assert too_large in (413, 502)
    assert asked(proxy, f"GET /r/{link} HTTP/1.1\r\n{head}Bad header\r\n\r\n".encode()) == 400
    stop_server()
    assert asked(proxy, f"GET /r/{link} HTTP/1.1\r\n{head}\r\n".encode()) in (502, 503)
    look()
    return found


@on_sqlite
@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("usual", [True, False], ids=["as usual", "as in deploy"])
def test_no_link_and_no_words_are_kept_by_a_proxy(kind, usual, settings, link):
    with (
        machine(settings, PROGRAM, "serve", "--port") as (server, stop),
        in_front_of(kind, [server], usual=usual) as proxy,
    ):
        kept = what_it_keeps(proxy, link, stop)

    if usual:
        # Caddy keeps no bodies, whatever it is told.
        assert kept == {"nginx": {"link", "words"}, "caddy": {"link"}}[kind]
    else:
        assert kept == set()


def guesses(proxy):
    """Guess links, each time as if from elsewhere; return the answers."""
    head = f"Host: {HOST}\r\nConnection: close\r\n"
    return [
        asked(
            proxy,
            f"GET /r/guess{number} HTTP/1.1\r\n{head}"
            f"X-Forwarded-For: 203.0.113.{number}\r\n\r\n".encode(),
        )
        for number in range(MOST + 4)
    ]


@on_sqlite
@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("usual", [True, False], ids=["as usual", "as in deploy"])
def test_whoever_guesses_behind_a_proxy_cannot_say_that_it_is_somebody_else(
    kind, usual, settings, session
):
    session.close()
    with (
        machine(settings, PROGRAM, "serve", "--port") as (server, _),
        in_front_of(kind, [server], usual=usual) as proxy,
    ):
        answers = guesses(proxy)

    if usual and kind == "nginx":
        # Caddy says by itself who asks, and nobody else.
        assert answers == [404] * len(answers)
    else:
        assert answers == [404] * MOST + [429] * 4


@on_sqlite
@pytest.mark.parametrize("kind", PROXIES)
def test_a_proxy_numbers_requests_and_keeps_figures_inside(kind, settings, session):
    session.close()
    with (
        machine(settings, PROGRAM, "serve", "--port") as (server, _),
        in_front_of(kind, [server]) as proxy,
    ):
        reader = browser(proxy)
        reader.open(f"{proxy.url}/sign-in")
        address = urllib.request.Request(
            f"{proxy.url}/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}
        )
        with pytest.raises(urllib.error.HTTPError, match="404"):
            reader.opener.open(address)
        given = {"X-Request-ID": "made-up-by-a-visitor"}
        answer = reader.opener.open(urllib.request.Request(f"{proxy.url}/sign-in", headers=given))
        number = answer.headers["X-Request-ID"]

    [cookie] = reader.cookies
    assert cookie.name.startswith("__Host-")
    assert cookie.secure
    assert re.fullmatch(r"[0-9a-f-]{32,36}", number)


def browser(proxy):
    return Browser(urllib.request.HTTPSHandler(context=proxy.trust), home=f"{proxy.url}/")


def answered_through(proxy, link, between):
    """Answer as a rater, through every page; something happens between the first two."""
    rater = browser(proxy)
    rater.open(f"{proxy.url}/r/{link}")
    rater.send(action="/start")
    between()
    items = {name: str(value) for name, value in factories.scores().items()}
    while "/part/" in rater.address:
        rater.send({"shown": "together", **items})
    rater.send()
    assert rater.address.endswith("/thanks")


def signed_in_through(proxy, catcher, person):
    reader = browser(proxy)
    reader.open(f"{proxy.url}/sign-in")
    reader.send({"email": person.email})
    code = wait_for_code(catcher, person)
    reader.send({"code": code})
    return reader


def wait_for_code(catcher, person):
    for _ in range(300):
        with suppress(LookupError, StopIteration):
            found = re.search(
                r"^\s+(\d{6})$", catcher.text_to(person.email, "your code"), re.MULTILINE
            )
            if found:
                return found[1]
        time.sleep(0.1)
    raise AssertionError("no code came")


@pytest.mark.parametrize("database", ["postgresql"])
@pytest.mark.parametrize("kind", PROXIES)
def test_two_machines_of_several_processes_serve_as_one(
    kind, settings, session, keyring, catcher, databases
):
    """Each page may come from another process; one machine goes away in the middle."""
    queue = databases.make("postgresql", keyring.path)
    settings = settings.model_copy(update={"queue_url": queue})
    round_ = factories.opened(session, keyring, now=utc_now(), roster={"peer": 4})
    links = factories.links(session, keyring, round_)
    leader = round_.leader
    session.commit()
    with ExitStack() as all_of_it:
        machines = [
            all_of_it.enter_context(machine(settings, *GUNICORN, "--bind")) for _ in range(2)
        ]
        servers = [url for url, _ in machines]

        def gone():
            machines[0][1]()
            if kind == "caddy":
                # Before 2.11.2 it passes on what is only opened, until it has noticed
                # (https://github.com/caddyserver/caddy/pull/7547); it looks every two seconds.
                time.sleep(5)

        proxy = all_of_it.enter_context(in_front_of(kind, servers))
        all_of_it.enter_context(working(settings))
        reader = signed_in_through(proxy, catcher, leader)
        for number in range(3):
            answered_through(proxy, links[f"peer{number}"], lambda: None)
        # The other one goes on; whoever is in the middle notices nothing.
        answered_through(proxy, links["peer3"], gone)
        reader.open(f"{proxy.url}/rounds/{round_.id}")
        assert reader.address == f"{proxy.url}/rounds/{round_.id}"

    answered = session.scalars(select(Invitation.answered)).all()
    assert sorted(answered) == [Answered.ANSWERED] * 4 + [Answered.NOT_YET]


@contextmanager
def working(settings):
    process = subprocess.Popen([PROGRAM, "work"], env=environment(settings))
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
