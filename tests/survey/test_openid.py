"""Whoever the organisation confirms is signed in, by the address that it says is theirs."""

import json
import re
import sys
import time

import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import expect
from werkzeug.wrappers import Response

from survey import create_app, db, openid, upkeep
from survey.demo.catcher import free_port
from survey.openid import WELL_KNOWN
from survey.site import EXTENSION
from tests import factories, provider
from tests.conftest import on_sqlite
from tests.launching import running
from tests.liar import ADDRESS, CLIENT, lying

pytestmark = on_sqlite
SIGNED_IN = "/rounds"


@pytest.fixture(scope="module")
def _one_liar():
    with lying() as one:
        yield one


@pytest.fixture
def told(_one_liar):
    """A provider that tells the truth until a test says otherwise."""
    _one_liar.__dict__.update(
        claims={}, info={}, answers={}, asked=[], algorithm="RS256", signs_with=_one_liar.key
    )
    return _one_liar


@pytest.fixture
def settings(settings, told):
    return settings.model_copy(
        update={"oidc_issuer": told.issuer, "oidc_client": CLIENT, "oidc_secret": "between us"}
    )


@pytest.fixture
def robin(session):
    person = factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    return person


def is_in(client):
    return client.get(SIGNED_IN).status_code == 200


def test_whoever_the_organisation_confirms_is_signed_in(client, told, robin):
    answer = told.sign_in(client)

    assert (answer.status_code, answer.location) == (302, "/")
    assert is_in(client)


LIES = {
    "for another client": {"aud": "another", "azp": CLIENT},
    "for several clients": {"aud": [CLIENT, "another"]},
    "of another provider": {"iss": "https://other.example.org"},
    "of another sign-in": {"nonce": "another"},
    "of no sign-in": {"nonce": None},
    "of yesterday": {"exp": int(time.time()) - 3600},
    "for ever": {"exp": None},
    "of nobody": {"sub": None},
    "with an address that nobody has checked": {"email_verified": False},
    "that says nothing of a check": {"email_verified": None},
    "that says in words that nobody has checked": {"email_verified": "false"},
    "without an address": {"email": None},
    "with what is no address": {"email": "robin"},
    "with two addresses": {"email": ["robin@example.org", "sam@example.org"]},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_the_organisation_does_not_confirm_lets_nobody_in(lie, client, told, robin):
    told.claims = lie
    answer = told.sign_in(client)

    assert answer.status_code == 403
    assert not is_in(client)
    assert "Traceback" not in answer.text


def test_without_what_is_expected_the_library_takes_a_token_for_somebody_else(
    client, told, robin, monkeypatch
):
    told.claims = LIES["for another client"]
    monkeypatch.setattr(openid, "expected", lambda _settings: None)

    assert told.sign_in(client).status_code == 302


def test_a_token_that_nobody_has_signed_lets_nobody_in(client, told, robin):
    told.algorithm = "none"

    assert told.sign_in(client).status_code == 403
    assert not is_in(client)


def test_a_token_that_somebody_else_has_signed_lets_nobody_in(client, told, robin):
    told.signs_with = RSAKey.generate_key(2048, {"kid": "one"})

    assert told.sign_in(client).status_code == 403
    assert not is_in(client)


def test_a_provider_may_change_its_keys(client, told, robin, monkeypatch):
    assert told.sign_in(client).status_code == 302
    new = RSAKey.generate_key(2048, {"kid": "two"})
    monkeypatch.setattr(told, "key", new)
    told.signs_with = new

    assert told.sign_in(client).status_code == 302


def test_what_another_browser_began_lets_nobody_in(app, client, told, robin):
    """Else somebody could be signed in as an attacker, and tell them what is meant for others."""
    leaving = client.get("/sign-in/organisation")
    state = re.search(r"state=([^&]+)", leaving.location)[1]
    answer = app.test_client().get(f"/sign-in/organisation/back?code=any&state={state}")

    assert answer.status_code == 403
    assert "/token" not in told.asked


def test_returning_works_once(client, told, robin):
    told.sign_in(client)
    address = client.get("/sign-in/organisation").location
    state = re.search(r"state=([^&]+)", address)[1]
    told.nonce = re.search(r"nonce=([^&]+)", address)[1]
    back = f"/sign-in/organisation/back?code=any&state={state}"

    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 403


def test_whoever_stops_at_the_provider_may_begin_again(client, told, robin):
    refused = "/sign-in/organisation/back?error=access_denied&state=any"
    answer = client.get(refused)

    assert answer.status_code == 403
    assert "begin again" in answer.text
    assert told.sign_in(client).status_code == 302


@pytest.mark.parametrize("who", ["nobody", "rater", "inactive"])
def test_whoever_has_nothing_to_do_here_is_told_so(who, client, told, session):
    if who != "nobody":
        person = factories.person(session, "Robin", *(["leader"] if who == "inactive" else []))
        person.active = who != "inactive"
        session.commit()
    session.close()
    answer = told.sign_in(client)

    assert answer.status_code == 403
    assert ADDRESS in answer.text
    assert not is_in(client)


def test_an_address_that_only_the_provider_tells_is_asked_for(client, told, robin):
    told.claims = {"email": None, "email_verified": None}
    told.info = {"sub": "17", "email": "Robin@Example.org", "email_verified": True}

    assert told.sign_in(client).status_code == 302


def test_what_the_provider_tells_of_somebody_else_lets_nobody_in(client, told, robin):
    told.claims = {"email": None, "email_verified": None}
    told.info = {"sub": "18", "email": ADDRESS, "email_verified": True}

    assert told.sign_in(client).status_code == 403


@pytest.mark.parametrize("said", [True, "true", 1, "1"])
def test_another_claim_may_say_that_the_address_is_verified(said, settings, told, session, clock):
    factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    named = settings.model_copy(update={"oidc_verified": "xms_edov"})
    app = create_app(named, clock=clock, config={"TESTING": True, "RATELIMIT_ENABLED": False})
    told.claims = {"email_verified": None}
    assert told.sign_in(app.test_client()).status_code == 403
    told.claims = {"email_verified": None, "xms_edov": said}

    assert told.sign_in(app.test_client()).status_code == 302
    with app.app_context():
        db.db.engine.dispose()


AWAY = {
    "says what is no JSON": {WELL_KNOWN: Response("<html>")},
    "fails": {WELL_KNOWN: Response("", 500)},
    "says a list": {WELL_KNOWN: Response("[]")},
    "says nothing": {WELL_KNOWN: Response("{}")},
}


@pytest.mark.parametrize("answers", AWAY.values(), ids=AWAY)
def test_a_provider_that_is_away_is_said_to_be_and_may_come_back(answers, client, told, robin):
    told.answers = answers
    answer = client.get("/sign-in/organisation")
    assert answer.status_code == 503
    assert "does not answer" in answer.text

    told.answers = {}
    assert told.sign_in(client).status_code == 302


def test_a_provider_that_calls_itself_something_else_is_not_gone_to(client, told, robin):
    other = json.dumps(
        {
            "issuer": "https://other.example.org",
            "authorization_endpoint": "https://other.example.org",
        }
    )
    told.answers = {WELL_KNOWN: Response(other)}

    assert client.get("/sign-in/organisation").status_code == 503


def test_a_provider_that_fails_while_somebody_returns_is_said_to(client, told, robin):
    told.answers = {"/token": Response("", 502)}

    assert told.sign_in(client).status_code == 503


def test_a_provider_that_tells_nonsense_of_somebody_is_said_to_be_away(client, told, robin):
    told.claims = {"email": None, "email_verified": None}
    told.answers = {"/info": Response("[1]")}

    assert told.sign_in(client).status_code == 503


def test_leaving_many_times_leaves_the_cookie_small(client, told, robin):
    for _ in range(30):
        answer = client.get("/sign-in/organisation")
        assert len(answer.headers["Set-Cookie"]) < 2000

    assert told.sign_in(client).status_code == 302


def test_the_page_leads_there_and_offers_a_code_as_well(client, told):
    page = client.get("/sign-in").text

    assert "Sign in with your account at Example Works" in page
    assert 'name="email"' in page


def test_an_organisation_may_do_without_codes(settings, told, session, clock, catcher):
    factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    without = settings.model_copy(update={"mailed_codes": False})
    app = create_app(without, clock=clock, config={"TESTING": True, "RATELIMIT_ENABLED": False})
    client = app.test_client()

    assert 'name="email"' not in client.get("/sign-in").text
    sent = client.post("/sign-in", data={"email": ADDRESS})
    assert sent.status_code in (400, 404)
    assert client.get("/sign-in/code").status_code == 404
    assert told.sign_in(client).status_code == 302
    with app.app_context():
        db.db.engine.dispose()


def test_the_doctor_finds_a_provider_that_is_away_or_called_otherwise(app, told, session):
    def said():
        with app.app_context():
            return [
                finding.found
                for finding in upkeep.look_over(app.extensions[EXTENSION], session)
                if "sign-in" in finding.found
            ]

    assert said() == ["The organisation's sign-in answers."]
    app.extensions[openid.EXTENSION].server_metadata.clear()
    told.answers = {WELL_KNOWN: Response('{"issuer": "https://other.example.org"}')}
    assert said() == [
        "The organisation's sign-in calls itself https://other.example.org: "
        "nobody gets in with its account."
    ]
    app.extensions[openid.EXTENSION].server_metadata.clear()
    told.answers = {WELL_KNOWN: Response("", 500)}
    assert said() == [f"The organisation's sign-in at {told.issuer} does not answer."]


class TestARealProvider:
    """Django OAuth Toolkit, with its own pages, in a real browser."""

    @pytest.fixture
    def port(self):
        return free_port()

    @pytest.fixture
    def settings(self, settings, port):
        told = {"oidc_issuer": f"http://127.0.0.1:{port}/o", "oidc_client": provider.CLIENT}
        return settings.model_copy(update=told | {"oidc_secret": provider.SECRET})

    @pytest.fixture
    def listening(self, app, served, port):
        back = f"{served}/sign-in/organisation/back"
        with running([sys.executable, "-m", "tests.provider", str(port), back], port):
            yield

    @pytest.fixture
    def enter(self, somebody, listening):
        def enter(name):
            page = somebody()
            page.goto("/sign-in")
            page.get_by_role("link", name="Sign in with your account at Example Works").click()
            expect(page.get_by_role("heading", name="Example Works")).to_be_visible()
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(provider.PASSWORD)
            page.get_by_role("button", name="Log in").click()
            return page

        return enter

    def test_lets_in_whom_it_confirms_and_nobody_else(self, enter, robin, session):
        factories.person(session, "Sam", "leader")
        session.commit()
        session.close()
        page = enter(provider.CHECKED)
        expect(page.get_by_role("heading", name="My rounds")).to_be_visible()

        page = enter(provider.UNCHECKED)
        expect(page.get_by_text("has not confirmed that sam@example.org")).to_be_visible()
