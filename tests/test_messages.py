"""Every language is whole: nothing untranslated in the catalogues, and nothing on the pages."""

import html
import io

import pdfplumber
import pytest
from babel.messages.catalog import Catalog
from flask import Flask

from reports.language import CATALOGUES, language
from survey import create_app, db, jobs
from survey.demo.catcher import plain_text
from survey.models import Round
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES
from tests.messages import catalogue, gathered
from tests.visitor import Visitor

ALL = sorted(CATALOGUES.glob("*.po"))
MESSAGES = {message.id: message for message in gathered() if message.id}


def first(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def untranslated(catalog: Catalog) -> list[object]:
    """Messages without words in the catalogue's language, or with guessed ones."""

    def said(words: object) -> list[object]:
        return list(words) if isinstance(words, (list, tuple)) else [words]

    messages = [message for message in catalog if message.id]
    return [each.id for each in messages if each.fuzzy or not all(said(each.string))]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_catalogue_translates_every_message_and_no_other(path):
    catalog = catalogue(path)

    assert {message.id for message in catalog if message.id} == set(MESSAGES)
    assert untranslated(catalog) == []


def test_a_message_without_a_translation_would_be_found():
    catalog = Catalog(locale="de")
    catalog.add("Said", "Gesagt")
    catalog.add("Not said", "")
    catalog.add(("One", "Many"), ("Eins", ""))
    catalog.add("Guessed", "Geraten", flags=["fuzzy"])

    assert untranslated(catalog) == ["Not said", ("One", "Many"), "Guessed"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_translations_have_the_gaps_of_their_messages(path):
    catalog = catalogue(path)

    assert [(m.id, list(m.check(catalog))) for m in catalog if list(m.check(catalog))] == []


def english_in(page: str) -> list[str]:
    """Messages of several words without gaps that stand on a German page as they are in English."""
    text = " ".join(html.unescape(page).split())
    return [
        said
        for said in map(first, MESSAGES)
        if " " in said and "%(" not in said and len(said) > 12 and " ".join(said.split()) in text
    ]


@pytest.fixture
def german(app: Flask, settings, clock):
    """The same installation, with German as its language."""
    settings = settings.model_copy(update={"language": "de"})
    made = create_app(settings, clock=clock, config={"TESTING": True, "RATELIMIT_ENABLED": False})
    yield made
    with made.app_context():
        db.db.engine.dispose()


def raters_pages(app: Flask, link: str) -> dict[str, str]:
    """Every page of the form up to the refusal of sending too little, and a wrong link."""
    rater = Visitor(app)
    pages = {"welcome": rater.open(f"/r/{link}"), "part 1": rater.send(action="/start")}
    while "/part/" in rater.address:
        pages[f"after {rater.address}"] = rater.send()
    pages["too few"] = rater.send()
    pages["wrong"] = rater.open(f"/r/{link[:-1]}")
    return pages


def visitors_pages(app: Flask) -> dict[str, str]:
    """What anybody sees, and signing in up to the code."""
    visitor = Visitor(app)
    pages = {
        each: visitor.open(each)
        for each in ("/", "/sign-in", "/sign-in/code", "/nowhere", "/confidentiality")
    }
    visitor.open("/sign-in")
    pages["no address"] = visitor.send({"email": ""})
    visitor.open("/sign-in")
    pages["code"] = visitor.send({"email": "robin@example.org"})
    return pages


def staffs_pages(app: Flask, everything: Visitor, round_: Round, waiting: Round) -> dict[str, str]:
    """The pages of leaders, coaches and administrators, with one refusal."""
    pages = {}
    for address in (
        "/rounds", "/rounds/new", f"/rounds/{round_.id}", "/shelf", "/administration/people",
        "/administration/people/new", "/administration/people/import",
        "/administration/delivery", "/administration/rounds", "/administration/audit",
        "/administration/retention", "/administration/programmes",
        "/administration/programmes/new", "/administration/questionnaires",
        "/administration/questionnaires/technical_leader/1.0",
        f"/administration/people/{waiting.leader.id}/erase", "/teams", "/teams/new",
    ):  # fmt: skip
        pages[address] = everything.open(address)
        assert everything.status == 200, address
    sam = Visitor(app, waiting.leader)
    for address in ("prepare", "raters", "ready"):
        pages[address] = sam.open(f"/rounds/{waiting.id}/{address}")
    sam.open(f"/rounds/{waiting.id}/raters")
    pages["twice"] = sam.send({"peer": "Ada <ada@example.org>\nAda <ada@example.org>\nnobody"})
    assert sam.status == 422
    return pages


def test_a_german_installation_speaks_german_everywhere(german, session, clock, catcher):
    keyring = german.extensions[EXTENSION].keyring
    robin = factories.person(session, "Robin", "leader", "coach", "administrator")
    coach = factories.person(session, "Casey", "coach")
    round_ = factories.opened(session, keyring, leader=robin, language="de")
    waiting = factories.prepared(session, factories.person(session, "Sam", "leader"))
    session.commit()
    links = factories.links(session, keyring, round_)
    session.close()
    jobs.sweep(german)

    everything = Visitor(german, robin)
    pages = raters_pages(german, links["peer0"]) | visitors_pages(german)
    pages |= staffs_pages(german, everything, round_, waiting)
    everything.open("/rounds")
    everything.send({"coach": str(coach.id)}, action="/rounds/coaches")
    for link in links.values():
        with german.app_context():
            factories.answer(db.session(), keyring, link)
    clock.now = CLOSES
    jobs.sweep(german)
    everything = Visitor(german, robin, CLOSES)
    pages["preview"] = everything.open(f"/previews/{round_.id}")
    for name in ("preview", "guide"):
        pdf = everything.client.get(f"/previews/{round_.id}/{name}.pdf").data
        with pdfplumber.open(io.BytesIO(pdf)) as document:
            pages[f"{name} as PDF"] = " ".join(page.extract_text() for page in document.pages)
    for number, mail in enumerate(catcher.mails):
        pages[f"mail {number}"] = f"{mail['Subject']} {plain_text(mail)}"

    assert len(catcher.mails) == 14
    assert {name: english_in(page) for name, page in pages.items() if english_in(page)} == {}
    assert "Dieses Feld wird benötigt." in pages["no address"]
    assert "ada@example.org ist zweimal genannt" in pages["twice"]
    assert "Robin Example bittet um Ihre Sicht" in pages["welcome"]
    assert "Ihre nächsten 90 Tage" in pages["preview as PDF"]
    assert "16. November 2026" in pages["welcome"]
    assert "…" not in pages["preview as PDF"]


def test_english_on_a_german_page_would_be_found():
    assert "Your next 90 days" in english_in("<h2>Your next\n90 days</h2>")
    assert english_in(language("de").gettext("Your next 90 days")) == []
