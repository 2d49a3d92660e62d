"""A running application as its attackers see it: the twin's and the product's."""

from __future__ import annotations

import re
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any, Protocol

from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server
from werkzeug.test import Cookie

from survey import jobs
from survey.demo.browser import forms_in
from survey.demo.catcher import Catcher
from survey.keyring import Keyring
from survey.models import Ballot, Invitation, Mail, MailKind, Person, Release, Round
from survey.sealing import link_path, new_token
from survey.server import Server
from survey.services import closing, custody
from tests import factories
from tests.attacks.usual_app import Usual, usual_app
from tests.conftest import CLOSES, METRICS_KEY
from tests.launching import answering
from tests.visitor import Visitor

WORDS_PAGE = 10
Meanwhile = Callable[[], None] | None
ROBIN, LOCAL = "robin@example.org", "127.0.0.1"


class Target(Protocol):
    """An application with an open round, and what one does in it."""

    app: Flask
    # A rater's link, and its secret part.
    link: str
    token: str
    # A link to the same round that was never given to anybody.
    unknown: str
    # What a signed-in Robin may open, and what not.
    own: str
    foreign: Sequence[str]
    addresses: list[str]

    def client(self) -> FlaskClient:
        """Return a browser with cookies of its own."""

    def serving(self) -> Any:
        """Serve the application as it is usually served; the context is its URL."""

    def type(self, client: FlaskClient, words: str, meanwhile: Meanwhile = None) -> None:
        """Open the link and type words; something may happen before they are sent."""

    def finish(self, client: FlaskClient) -> None:
        """Answer whatever else is asked behind the link."""

    def send(self, client: FlaskClient) -> None:
        """Send the finished answers."""

    def pages(self) -> list[str]:
        """Return the addresses behind the link."""

    def stored(self) -> object:
        """Return what a visit could change."""

    def answered(self) -> int:
        """Return how many answers count."""

    def timeline(self) -> str:
        """Return what the leader sees while the round collects."""

    def figures(self) -> str:
        """Return what whoever watches the server is told."""

    def close(self) -> None:
        """Close the round."""

    def report(self) -> object:
        """Return what is reported of the round now."""

    def break_down(self) -> None:
        """Let storing fail from now on."""

    def ask_for_code(self, address: str, host: str = "localhost", remote: str = LOCAL) -> Any:
        """Ask in a new browser for a code to sign in with; return the answer."""

    def mails(self) -> list[EmailMessage]:
        """Return the mails that went out."""

    def codes_sent(self) -> int:
        """Return how many codes were mailed or wait to be."""

    def enter(self) -> FlaskClient:
        """Return a browser in which Robin is signed in."""

    def leave(self, client: FlaskClient) -> None:
        """Sign out."""

    def guesser(self) -> Callable[[str], bool]:
        """Ask for a code as Robin; return what tries one and says whether it signed in."""

    def right_code(self) -> str:
        """Return the code that was asked for last."""


class UsualTarget:
    """The twin, at work."""

    def __init__(self, elsewhere: str = "http://elsewhere.example.org") -> None:
        self.memory = Usual(elsewhere)
        self.app = usual_app(self.memory)
        self.token, self.link, self.unknown = "3", "/r/3", "/r/99"
        self.own, self.foreign = "/previews/1", ("/previews/2",)
        self.addresses: list[str] = []
        self.app.before_request(lambda: self.addresses.append(request.full_path))

    def client(self) -> FlaskClient:
        return self.app.test_client()

    @contextmanager
    def serving(self) -> Iterator[str]:
        server = make_server(LOCAL, 0, self.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{LOCAL}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def type(self, client: FlaskClient, words: str, meanwhile: Meanwhile = None) -> None:
        if meanwhile:
            meanwhile()
        client.get(f"{self.link}/save", query_string={"words": words}, follow_redirects=True)

    def finish(self, client: FlaskClient) -> None:
        pass

    def send(self, client: FlaskClient) -> None:
        client.post(f"{self.link}/send")

    def pages(self) -> list[str]:
        return [self.link]

    def stored(self) -> object:
        return list(self.memory.opened), list(self.memory.answers)

    def answered(self) -> int:
        return len(self.memory.answers)

    def timeline(self) -> str:
        return self.client().get("/progress").text

    def figures(self) -> str:
        return self.client().get("/metrics").text

    def close(self) -> None:
        self.memory.closed.add(self.token)

    def report(self) -> object:
        return sorted(self.memory.answers)

    def break_down(self) -> None:
        self.memory.broken = True

    def ask_for_code(self, address: str, host: str = "localhost", remote: str = LOCAL) -> Any:
        return self.client().post("/sign-in", data={"email": address}, headers={"Host": host})

    def mails(self) -> list[EmailMessage]:
        return self.memory.mails

    def codes_sent(self) -> int:
        return len(self.memory.mails)

    def enter(self) -> FlaskClient:
        client = self.client()
        client.post("/sign-in/code", data={"email": ROBIN, "code": self.right_code()})
        return client

    def leave(self, client: FlaskClient) -> None:
        client.post("/sign-out")

    def guesser(self) -> Callable[[str], bool]:
        def guess(code: str) -> bool:
            form = {"email": ROBIN, "code": code}
            return self.client().post("/sign-in/code", data=form).status_code == 200

        return guess

    def right_code(self) -> str:
        return self.memory.codes[ROBIN]


class ProductTarget:
    """The product, with a round of Robin's in which nobody has answered, and Sam's preview."""

    def __init__(self, app: Flask, session: Session, keyring: Keyring, catcher: Catcher) -> None:
        self.app, self.session, self.keyring, self.catcher = app, session, keyring, catcher
        self.robin = factories.person(session, "Robin", "leader")
        sam = factories.person(session, "Sam", "leader")
        previews = {leader: self._preview(leader) for leader in (self.robin, sam)}
        self.round_id = factories.opened(session, keyring, leader=self.robin).id
        sams = factories.opened(session, keyring, leader=sam).id
        link = factories.links(session, keyring, session.get_one(Round, self.round_id))["peer0"]
        self.token, self.link = link, f"/r/{link}"
        self.unknown = f"/r/{link_path(self.round_id, new_token())}"
        self.own = f"/previews/{previews[self.robin]}"
        foreign = f"/previews/{previews[sam]}"
        self.foreign = (foreign, f"{foreign}/preview.pdf", f"/rounds/{sams}")
        self.addresses: list[str] = []
        self.app.before_request(lambda: self.addresses.append(request.full_path))
        session.close()

    def _preview(self, leader: Person) -> object:
        round_ = factories.opened(self.session, self.keyring, leader=leader, roster={"peer": 3})
        for name, link in factories.links(self.session, self.keyring, round_).items():
            if name.startswith("peer"):
                factories.answer(self.session, self.keyring, link)
        closing.close(self.session, self.keyring, round_.id, CLOSES)
        self.session.commit()
        return round_.id

    @contextmanager
    def _looking(self) -> Iterator[Session]:
        """Look into the database, and hold nobody up afterwards."""
        yield self.session
        self.session.rollback()

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def _visitor(self, client: FlaskClient, address: str) -> Visitor:
        visitor = Visitor(self.app)
        visitor.client = client
        visitor.open(address)
        return visitor

    @contextmanager
    def serving(self) -> Iterator[str]:
        self.app.config["TRUSTED_HOSTS"] = [LOCAL, "localhost"]
        server = Server(self.app, LOCAL, 0)
        with answering(server):
            yield f"http://{LOCAL}:{server.port}"

    def type(self, client: FlaskClient, words: str, meanwhile: Meanwhile = None) -> None:
        self._visitor(client, self.link).send(action="/start")
        page = self._visitor(client, f"{self.link}/part/{WORDS_PAGE}")
        if meanwhile:
            meanwhile()
        page.send({"OP1-1": words})

    def finish(self, client: FlaskClient) -> None:
        items = factories.scores()
        for part in range(1, WORDS_PAGE):
            page = self._visitor(client, f"{self.link}/part/{part}")
            asked = [name for form in forms_in(page.page) for name in form.asks]
            page.send({name: str(items[name]) for name in asked if name in items})

    def send(self, client: FlaskClient) -> None:
        token = _csrf(client, "/sign-in")
        client.post(f"{self.link}/check", data={"csrf_token": token})

    def pages(self) -> list[str]:
        parts = [f"{self.link}/part/{part}" for part in range(1, WORDS_PAGE + 1)]
        return [self.link, *parts, f"{self.link}/check", f"{self.link}/thanks"]

    def stored(self) -> object:
        with self._looking() as session:
            noted = session.scalars(select(Invitation.answered)).all()
            query = select(Ballot.handle, Ballot.sealed, Ballot.resume)
            return sorted(noted), sorted(session.execute(query).all())

    def answered(self) -> int:
        opener = factories.opener(self.keyring, self.round_id)
        with self._looking() as session:
            query = select(Ballot.sealed).where(Ballot.round_id == self.round_id)
            opened = [opener.open(each) for each in session.scalars(query)]
        return sum(content.answers is not None for content in opened)

    def timeline(self) -> str:
        return without_csrf(self.enter().get(f"/rounds/{self.round_id}").text)

    def figures(self) -> str:
        headers = {"Authorization": f"Bearer {METRICS_KEY}"}
        return self.client().get("/metrics", headers=headers).text

    def close(self) -> None:
        round_ = self.session.get_one(Round, self.round_id)
        links = factories.links(self.session, self.keyring, round_)
        for name in ("peer1", "peer2", "peer3"):
            factories.answer(self.session, self.keyring, links[name])
        closing.close(self.session, self.keyring, self.round_id, CLOSES)
        self.session.commit()
        custody.destroy_keys(self.session, self.keyring)
        self.session.rollback()

    def report(self) -> object:
        with self._looking() as session:
            document = session.get_one(Release, self.round_id).document
        return document, self.stored()

    def break_down(self) -> None:
        self.session.connection().exec_driver_sql("ALTER TABLE ballot RENAME TO put_away")
        self.session.commit()

    def ask_for_code(self, address: str, host: str = "localhost", remote: str = LOCAL) -> Any:
        return self._ask(self.client(), address, host, remote)

    def _ask(self, client: FlaskClient, address: str, host: str, remote: str) -> Any:
        form = {"email": address, "csrf_token": _csrf(client, "/sign-in")}
        headers, environment = {"Host": host}, {"REMOTE_ADDR": remote}
        answer = client.post(
            "/sign-in",
            data=form,
            headers=headers,
            environ_base=environment,
            follow_redirects=True,
        )
        jobs.sweep(self.app)
        return answer

    def mails(self) -> list[EmailMessage]:
        return list(self.catcher.mails)

    def codes_sent(self) -> int:
        count = select(func.count()).where(Mail.kind == MailKind.SIGN_IN)
        with self._looking() as session:
            return session.scalar(count) or 0

    def enter(self) -> FlaskClient:
        return Visitor(self.app, self.robin).client

    def leave(self, client: FlaskClient) -> None:
        self._visitor(client, "/rounds").send(action="/sign-out")

    def guesser(self) -> Callable[[str], bool]:
        asked = self.client()
        self._ask(asked, ROBIN, "localhost", LOCAL)
        token = _csrf(asked, "/sign-in/code")
        [cookie] = cookies(asked)

        def guess(code: str) -> bool:
            client = self.client()
            client.set_cookie(cookie.key, cookie.value)
            form = {"code": code, "csrf_token": token}
            return client.post("/sign-in/code", data=form).status_code == 302

        return guess

    def right_code(self) -> str:
        code = re.search(r"^\s+(\d{6})$", self.catcher.text_to(ROBIN), re.MULTILINE)
        assert code is not None
        return code[1]


def _csrf(client: FlaskClient, address: str) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).text)
    assert token is not None
    return token[1]


def without_csrf(page: str) -> str:
    """Return a page without what differs each time it is opened."""
    return re.sub(r'name="csrf_token"[^>]*value="[^"]+"', "", page)


def cookies(client: FlaskClient) -> list[Cookie]:
    """Return the cookies that a browser holds."""
    return list((client._cookies or {}).values())


def fetch(url: str) -> str:
    """Open a page from outside."""
    with urllib.request.urlopen(url) as answer:
        page: str = answer.read().decode()
    return page
