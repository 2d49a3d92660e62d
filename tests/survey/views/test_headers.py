"""What every answer says about itself."""

import re

import pytest

from survey import create_app, db
from tests import factories
from tests.conftest import installation

OWN_SCRIPT = re.compile(r'<script type="module" src="/static/[a-z]+[.]js"></script>')


@pytest.fixture
def link(session, keyring):
    round_ = factories.opened(session, keyring)
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    return link


@pytest.mark.parametrize("address", ["/", "/sign-in", "/r/{link}", "/r/nothing", "/nowhere"])
def test_pages_load_nothing_from_elsewhere_and_leave_no_trace(app, link, address):
    answer = app.test_client().get(address.format(link=link))

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "style=" not in answer.text
    # A script is a file of ours, and none stands in the page.
    assert "<script" not in OWN_SCRIPT.sub("", answer.text)


def test_a_poisoned_host_is_refused(app, link):
    """Links in pages and mails must not lead to another server."""
    answer = app.test_client().get("/sign-in", headers={"Host": "evil.example.net"})

    assert answer.status_code == 400


def test_cookies_are_for_this_site_and_not_for_scripts(app):
    [cookie] = app.test_client().get("/sign-in").headers.getlist("Set-Cookie")

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_over_https_cookies_and_pages_stay_with_https(tmp_path):
    secure = create_app(installation(tmp_path, base_url="https://feedback.example.org"))
    answer = secure.test_client().get("/sign-in", base_url="https://feedback.example.org")

    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-preview360=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    with secure.app_context():
        db.db.engine.dispose()


def test_forms_work_over_https_though_pages_send_no_referrer(tmp_path):
    """The usual check of CSRF over https wants a referrer, which our policy withholds."""
    secure = create_app(installation(tmp_path, base_url="https://feedback.example.org"))
    secure.config["RATELIMIT_ENABLED"] = False
    client = secure.test_client()
    page = client.get("/sign-in", base_url="https://feedback.example.org").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(
        "/sign-in",
        base_url="https://feedback.example.org",
        data={"csrf_token": token, "email": " "},
    )

    assert answer.status_code == 422
    with secure.app_context():
        db.db.engine.dispose()


def test_only_links_that_open_nothing_are_counted_and_a_right_one_is_never_kept_waiting(
    settings, clock, link, session
):
    """Somebody guesses from the network in which a rater sits."""
    limited = create_app(settings, clock=clock, config={"TESTING": True})
    client = limited.test_client()
    guesses = [client.get(f"/r/{link[:-6]}{number:06}").status_code for number in range(62)]
    assert guesses == [404] * 60 + [429] * 2

    assert [client.get(f"/r/{link}").status_code for _ in range(70)] == [200] * 70
    elsewhere = {"REMOTE_ADDR": "127.0.0.9"}
    assert client.get("/r/nothing", environ_base=elsewhere).status_code == 404
    with limited.app_context():
        db.db.engine.dispose()


def test_a_page_of_another_site_may_not_take_anything_of_ours(app, link):
    answer = app.test_client().get(f"/r/{link}")

    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in answer.headers
