"""Signing in by a mailed code, in a browser with cookies."""

import re
from datetime import timedelta

import pytest

from survey import create_app, db, jobs
from survey.models import Person
from tests import factories
from tests.conftest import NOW
from tests.visitor import Visitor


@pytest.fixture
def robin(session):
    robin = factories.person(session, "Robin", "leader")
    session.commit()
    return robin


def code_to(app, catcher, address):
    jobs.sweep(app)
    return catcher.text_to(address).split("sign in is:")[1].split()[0]


def test_the_code_from_the_mail_signs_in(app, robin, catcher):
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": "Robin@example.org"})
    assert visitor.address == "/sign-in/code"
    visitor.send({"code": code_to(app, catcher, "robin@example.org")})

    assert visitor.address == "/rounds"
    visitor.send(action="/sign-out")
    visitor.open("/rounds")
    assert visitor.address == "/sign-in"


def test_a_wrong_code_says_so(app, robin, catcher):
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": "robin@example.org"})
    right = code_to(app, catcher, "robin@example.org")
    visitor.send({"code": "000000" if right != "000000" else "111111"})

    assert visitor.status == 422
    assert "This code is wrong, too old or used already" in visitor.page


def test_an_unknown_address_gets_the_same_answer(app, robin, catcher):
    pages = []
    for address in ("robin@example.org", "stranger@example.org"):
        visitor = Visitor(app)
        visitor.open("/sign-in")
        visitor.send({"email": address})
        plain = re.sub(r'name="csrf_token" value="[^"]+"', "", visitor.page).replace(address, "")
        pages.append((visitor.address, visitor.status, plain))

    assert pages[0] == pages[1]
    jobs.sweep(app)
    assert len(catcher.mails) == 1


def test_opening_pages_signs_nobody_in_and_spends_no_code(app, robin, catcher):
    """Mail scanners open every address in a mail; a code works only when it is typed and sent."""
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": "robin@example.org"})
    code = code_to(app, catcher, "robin@example.org")
    scanner = Visitor(app)
    scanner.open(f"/sign-in/code?code={code}&email=robin@example.org")
    scanner.open("/rounds")
    assert scanner.address == "/sign-in"

    visitor.send({"code": code})
    assert visitor.address == "/rounds"


def test_a_session_ends_after_twelve_hours_or_when_the_person_loses_access(
    app, session, robin, clock
):
    visitor = Visitor(app, robin)
    visitor.open("/rounds")
    assert visitor.address == "/rounds"
    clock.now = NOW + timedelta(hours=12, seconds=1)
    visitor.open("/rounds")
    assert visitor.address == "/sign-in"

    clock.now = NOW
    again = Visitor(app, robin)
    session.get(Person, robin.id).active = False
    session.commit()
    again.open("/rounds")
    assert again.address == "/sign-in"


def test_a_cookie_of_a_session_that_was_ended_everywhere_opens_nothing(app, session, robin):
    visitor = Visitor(app, robin)
    session.get(Person, robin.id).session_key = "another"
    session.commit()
    visitor.open("/rounds")

    assert visitor.address == "/sign-in"


def test_asking_for_codes_and_guessing_them_is_limited(settings, robin, app, clock):
    limited = create_app(settings, clock=clock, config={"TESTING": True})
    visitor = Visitor(limited)
    for _ in range(5):
        visitor.open("/sign-in")
        visitor.send({"email": "robin@example.org"})
        assert visitor.status == 200
    visitor.open("/sign-in")
    visitor.send({"email": "robin@example.org"})
    assert visitor.status == 429
    assert "Too many attempts" in visitor.page

    visitor.open("/sign-in/code")
    for _ in range(30):
        visitor.send({"code": "x"})
        assert visitor.status == 422
    visitor.send({"code": "x"})
    assert visitor.status == 429
    with limited.app_context():
        db.db.engine.dispose()


def test_an_address_spelt_otherwise_counts_as_the_same(settings, robin, app, clock):
    """A form drops control characters; counted as typed, each would be another address."""
    spelt = [f"rob{chr(n)}in@example.org" for n in range(1, 6)] + [" Robin@Example.ORG"]
    limited = create_app(settings, clock=clock, config={"TESTING": True})
    visitor = Visitor(limited)
    answers = []
    for address in spelt:
        visitor.open("/sign-in")
        visitor.send({"email": address})
        answers.append(visitor.status)
    with limited.app_context():
        db.db.engine.dispose()

    assert answers == [200, 200, 200, 200, 200, 429]


def test_signing_out_ends_a_copied_cookie_too(app, robin):
    visitor, copied = Visitor(app, robin), Visitor(app, robin)
    copied.open("/rounds")
    assert copied.address == "/rounds"
    visitor.open("/rounds")
    visitor.send(action="/sign-out")

    copied.open("/rounds")
    assert copied.address == "/sign-in"


def test_a_form_without_address_or_code_says_what_is_missing(app, robin):
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": " "})

    assert visitor.status == 422
    assert "<title>Error:" in visitor.page
    assert 'href="#email"' in visitor.page


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr,en;q=0.5,de;q=0.2", "en"),
        ("fr", "en"),
        ("", "en"),
        ("*;q=x,,", "en"),
    ],
)
def test_pages_speak_what_the_browser_asks_for_if_they_can(app, asked, spoken):
    page = app.test_client().get("/", headers={"Accept-Language": asked}).text

    assert f'<html lang="{spoken}"' in page


def test_a_chosen_language_goes_before_what_the_browser_asks_for(app):
    visitor = Visitor(app)
    visitor.open("/")
    assert '<html lang="de"' in visitor.send({"language": "de"}, action="/language")
    page = visitor.client.get("/sign-in", headers={"Accept-Language": "en"}).text
    assert '<html lang="de"' in page
    assert '<html lang="de"' in visitor.send({"language": "xx"}, action="/language")


def test_a_chosen_language_stays_through_signing_in(app, session, catcher):
    factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    visitor = Visitor(app)
    visitor.open("/")
    visitor.send({"language": "de"}, action="/language")
    visitor.open("/sign-in")
    visitor.send({"email": "robin@example.org"})
    jobs.sweep(app)
    code = re.search(r"^\s+(\d{6})$", catcher.text_to("robin@example.org"), re.MULTILINE)

    assert '<html lang="de"' in visitor.send({"code": code[1]})
    assert visitor.address == "/rounds"


def test_choosing_a_language_leads_back_to_the_page_one_was_on(app, session):
    robin = factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    leader = Visitor(app, robin)
    leader.open("/rounds/new")
    page = leader.send({"language": "de"}, action="/language")

    assert leader.address == "/rounds/new"
    assert '<html lang="de"' in page


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/%2F/evil",
        "nowhere",
        "/nowhere",
    ],
)
def test_choosing_a_language_leads_nowhere_else(app, elsewhere):
    visitor = Visitor(app)
    visitor.open("/confidentiality")
    token = visitor.page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = visitor.client.post(
        "/language", query_string={"back": elsewhere}, data={"csrf_token": token, "language": "de"}
    )

    assert answer.headers["Location"] == "/"
