"""Unmistakable words are typed, and looked for everywhere, in every state of a round.

Every route is opened as everybody, and database files, logs, dumps, mails, keyring
and temporary folder are read. Before the close nothing of what was typed is
anywhere but on its own rater's pages while it is a draft; afterwards only what was
sent is in the preview, and no rater's name is anywhere near it.
"""

from __future__ import annotations

import io
import itertools
import logging
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

import pdfplumber
import pytest
from flask import url_for
from sqlalchemy import select

from reports import tables
from survey import db, jobs
from survey.demo.catcher import plain_text
from survey.links import stop_path
from survey.models import (
    Invitation,
    Mail,
    PeopleImport,
    Person,
    Programme,
    Proposal,
    Release,
    Round,
    RoundState,
    Team,
)
from survey.sealing import read_link
from survey.services import coaching, proposals, rounds, tokens
from survey.site import EXTENSION
from tests import factories
from tests.attacks.files import copy_postgresql, copy_sqlite, log_position
from tests.conftest import CLOSES, NOW
from tests.spreadsheet import inside
from tests.visitor import Visitor

PEERS = tuple(f"peer{number}" for number in range(6))
# What each rater does, in this order; `peer0` never sends, `peer3` takes back what was sent.
DRAFTED, REPLACED, WITHDRAWN, SENT = "drafted", "replaced", "withdrawn", "sent"


def canary(kind: str) -> str:
    return f"canary{kind}{secrets.token_hex(5)}"


class Place:
    """An installation with somebody of each kind, and everything that can be read of it."""

    def __init__(self, app, session, keyring, settings, clock, catcher, cluster, folder):
        self.app, self.session, self.keyring = app, session, keyring
        self.settings, self.clock, self.catcher, self.cluster = settings, clock, catcher, cluster
        self.folder = folder
        with app.app_context():
            self.engine = db.db.engine
        self.since = log_position(self.engine) if cluster else None
        names = (("Robin", "leader"), ("Sam", "leader"), ("Casey", "coach"), ("Cora", "coach"))
        people = [factories.person(session, *each) for each in names]
        people.append(factories.person(session, "Andy", "administrator"))
        self.roles = {"stranger": None, **{each.name.split()[0]: each for each in people}}
        coaching.give_access(session, people[0], people[2].id, "en", NOW)
        self.tokens = {
            each: tokens.make(session, keyring, each, "any", tokens.offered(each), 90, "en", NOW)
            for each in people
        }
        self.typed = {kind: {} for kind in (DRAFTED, REPLACED, WITHDRAWN, SENT)}
        self.links = {}

    def prepare(self):
        self.round_id = factories.prepared(self.session, self.roles["Robin"], {"peer": 6}).id
        self.session.commit()
        self.session.close()

    def open(self):
        round_ = self.session.get_one(Round, self.round_id)
        rounds.open_round(self.session, self.keyring, round_, NOW)
        person = round_.nominations[0].person_id
        self.session.flush()
        proposals.propose_one_less(self.session, round_, person, NOW, self.roles["Robin"])
        self.links = factories.links(self.session, self.keyring, round_)
        self.session.commit()
        self.session.close()
        jobs.sweep(self.app)

    def type(self, name, kind):
        """Type unmistakable words, statement by statement, as people do."""
        words = self.typed[kind][name] = canary(kind)
        rater = Visitor(self.app)
        rater.open(f"/r/{self.links[name]}")
        rater.send(action="/start")
        items = factories.scores()
        while "OP1-1" not in rater.page:
            asked = [item for item in items if f'name="{item}"' in rater.page]
            rater.send({item: str(items[item]) for item in asked})
        rater.send({"OP1-1": words})
        assert rater.address.endswith("/check")
        return rater

    def sweep(self):
        jobs.sweep(self.app)
        self.session.close()

    def pages(self):
        """Return what every route says to everybody: (who, address) to text."""
        with self.app.test_request_context():
            addresses = {
                url_for(rule.endpoint, **values)
                for rule in self.app.url_map.iter_rules()
                if "GET" in rule.methods and "link" not in rule.arguments
                for values in self.arguments(rule)
            }
        found = {}
        for who, person in self.roles.items():
            client = Visitor(self.app, person, now=self.clock.now).client
            shown = {"Authorization": f"Bearer {self.tokens.get(person)}"}
            for address in sorted(addresses):
                found[who, address] = said(client.get(address, headers=shown))
        for name, link in self.links.items():
            client = self.app.test_client()
            parts = [f"/part/{number}" for number in range(1, 12)]
            for page in ("", *parts, "/check", "/thanks", "/declined"):
                found[name, page] = said(client.get(f"/r/{link}{page}"))
        return found

    def arguments(self, rule):
        """Return every combination of what a rule takes."""
        kinds = {
            "round_id": self.session.scalars(select(Round.id)).all(),
            "person_id": self.session.scalars(select(Person.id)).all(),
            "coach_id": [self.roles["Casey"].id],
            "leader_id": [self.roles["Robin"].id],
            "mail_id": self.session.scalars(select(Mail.id)).all()[:3],
            "import_id": self.session.scalars(select(PeopleImport.id)).all(),
            "team_id": self.session.scalars(select(Team.id)).all(),
            "proposal_id": self.session.scalars(select(Proposal.id)).all(),
            "programme_id": self.session.scalars(select(Programme.id)).all(),
            "token": ["nothing"],
            "sheet": ["preview"],
            "title": ["technical_leader"],
            "version": ["1.0"],
            "filename": ["site.css"],
            "name": tables.NAMES,
            "path": [
                stop_path(self.keyring, each)
                for each in self.session.scalars(select(Invitation.id)).all()[:2]
            ],
        }
        self.session.close()
        names = sorted(rule.arguments)
        for values in itertools.product(*(kinds[name] for name in names)):
            yield dict(zip(names, values, strict=True))

    def files(self):
        """Return the bytes of everything that is stored: name to content."""
        self.session.close()
        number = len(list(self.folder.iterdir()))
        if self.cluster:
            stored, dump = copy_postgresql(self.cluster, self.engine, self.since)
        else:
            data = self.settings.database_file().parent
            stored, dump = copy_sqlite(data, self.folder / str(number))
        beside = [
            path
            for place in (self.keyring.path, Path(tempfile.gettempdir()))
            for path in place.rglob("*")
            if path.is_file()
        ]
        return {
            **stored,
            "dump": dump.encode(),
            "mails": "\n".join(plain_text(mail) for mail in self.catcher.mails).encode(),
            **{str(path): path.read_bytes() for path in beside},
        }

    def everything_typed(self):
        return {words for kind in self.typed.values() for words in kind.values()}


def said(answer) -> str:
    if answer.mimetype == "application/pdf":
        with pdfplumber.open(io.BytesIO(answer.data)) as document:
            return "\n".join(page.extract_text() for page in document.pages)
    if answer.mimetype.endswith("spreadsheetml.sheet"):
        return inside(answer.data).decode()
    assert answer.status_code < 500
    text: str = answer.get_data(as_text=True)
    answer.close()
    return text


@pytest.fixture
def place(request, app, session, keyring, settings, clock, catcher, database, tmp_path, caplog):
    cluster = request.getfixturevalue("cluster") if database == "postgresql" else None
    (tmp_path / "tmp").mkdir()
    (tmp_path / "copies").mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path / "tmp")
    caplog.set_level(logging.DEBUG)
    # The tests' own mail server and reader of PDFs say everything that passes through them.
    for noisy in ("mail", "pdfminer"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    yield Place(app, session, keyring, settings, clock, catcher, cluster, tmp_path / "copies")
    tempfile.tempdir = before


def nowhere(place, caplog, words, whose=()):
    """Assert that words stand on no page but their own rater's, and in nothing stored."""
    for (who, address), text in place.pages().items():
        for each in words:
            assert each not in text or (who, each) in whose, (who, address)
    for name, content in place.files().items():
        for each in words:
            assert each.encode() not in content, name
    for each in words:
        assert each not in caplog.text


def no_tokens(place, caplog):
    """Assert that no link's secret stands anywhere but in the mail to its rater."""
    tokens = {name: (link, read_link(link)[1]) for name, link in place.links.items()}
    pages = place.pages()
    for name, (link, token) in tokens.items():
        for (who, address), text in pages.items():
            assert link not in text or who == name, (who, address)
        for where, content in place.files().items():
            assert token not in content, where
            assert token.hex().encode() not in content, where
            assert link.encode() not in content or where == "mails", where
        assert link not in caplog.text


def test_nothing_typed_is_anywhere_before_the_close_and_no_name_near_it_afterwards(place, caplog):
    place.prepare()
    nowhere(place, caplog, {"canary"})
    place.open()
    no_tokens(place, caplog)

    place.type("peer0", DRAFTED)
    draft = {("peer0", place.typed[DRAFTED]["peer0"])}
    nowhere(place, caplog, place.everything_typed(), draft)

    place.type("peer3", WITHDRAWN).send()
    gone = Visitor(place.app)
    gone.open(f"/r/{place.links['peer3']}")
    gone.send(action="/decline")
    place.type("peer2", REPLACED).send()
    for name in ("peer1", "peer2", "peer4", "peer5"):
        place.type(name, SENT).send()
    place.clock.forward(days=1)
    place.sweep()
    nowhere(place, caplog, place.everything_typed(), draft)
    no_tokens(place, caplog)

    # The day has passed, and nobody has closed the round yet.
    place.clock.now = CLOSES
    nowhere(place, caplog, place.everything_typed(), draft)

    place.sweep()
    [release] = place.session.scalars(select(Release)).all()
    names = [f"{name} Example" for name in PEERS] + [f"{name}@example.org" for name in PEERS]
    sent = set(place.typed[SENT].values())
    assert all(words in release.document for words in sent)
    assert not any(name in release.document for name in names)
    place.session.close()
    shown = set()
    for (who, address), text in place.pages().items():
        if any(words in text for words in sent):
            shown.add((who, address.rpartition("/")[2] == "preview.pdf"))
            assert not any(name in text for name in names), (who, address)
    assert shown == {("Robin", False), ("Robin", True), ("Casey", False), ("Casey", True)}
    nowhere(place, caplog, place.everything_typed() - sent)
    for words in sent:
        assert words not in caplog.text


def test_of_a_round_that_ends_without_a_preview_nothing_is_left(place, caplog):
    place.prepare()
    place.open()
    place.type("peer0", DRAFTED)
    for name in ("peer1", "peer2", "peer4"):
        place.type(name, SENT).send()
    leader = Visitor(place.app, place.roles["Robin"])
    leader.open(f"/rounds/{place.round_id}")
    leader.send(action="/void")
    assert place.session.get_one(Round, place.round_id).state is RoundState.VOID
    place.session.close()
    nowhere(place, caplog, place.everything_typed())

    place.clock.now += timedelta(minutes=1)
    place.sweep()
    assert place.app.extensions[EXTENSION].keyring.rounds() == []
    nowhere(place, caplog, place.everything_typed())
    no_tokens(place, caplog)


def test_these_searches_would_find_words_where_they_are(place, caplog, database):
    """Each place is given a canary first; otherwise finding none would prove nothing."""
    place.prepare()
    place.open()
    words = canary("planted")
    assert not [name for name, content in place.files().items() if words.encode() in content]
    round_ = place.session.get_one(Round, place.round_id)
    round_.message = words
    place.session.commit()
    place.session.close()
    (place.keyring.path / "note").write_text(words)
    (Path(tempfile.gettempdir()) / "note").write_text(words)
    logging.getLogger("survey").debug(words)

    found = {name for name, content in place.files().items() if words.encode() in content}
    of_files = "merged" if database == "sqlite" else "heap"
    assert {"dump", of_files, str(place.keyring.path / "note")} <= found
    assert len(found) >= 5
    assert {who for (who, _), text in place.pages().items() if words in text} >= {"peer1"}
    assert words in caplog.text
