"""Small things that scanners and standards look for, each seen from outside."""

import hashlib

import pytest
from itsdangerous import URLSafeTimedSerializer

from survey import create_app, db
from survey.site import EXTENSION
from tests import factories
from tests.conftest import NOW, installation
from tests.visitor import Visitor


@pytest.fixture
def robin(session):
    robin = factories.person(session, "Robin", "leader")
    session.commit()
    return robin


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "CONNECT"])
def test_methods_that_no_page_has_are_refused(app, method):
    assert app.test_client().open("/sign-in", method=method).status_code == 405


@pytest.mark.parametrize(
    "address", ["/static/", "/static", "/.git/HEAD", "/static/../config.py", "/static/%2e%2e/db.py"]
)
def test_no_folder_is_listed_and_no_file_but_ours_is_sent(app, address):
    assert app.test_client().get(address).status_code == 404


@pytest.mark.parametrize("address", ["/", "/sign-in", "/r/nothing", "/static/site.css", "/nowhere"])
def test_every_answer_names_its_type_and_its_letters(app, address):
    answer = app.test_client().get(address)

    assert answer.headers["Content-Type"] in ("text/html; charset=utf-8", "text/css; charset=utf-8")
    answer.close()


def test_a_session_cookie_is_signed_with_sha256_and_a_changed_one_opens_nothing(app, robin):
    visitor = Visitor(app, robin)
    assert "My rounds" in visitor.open("/rounds")
    signed = visitor.client.get_cookie("preview360").value
    key = app.extensions[EXTENSION].keyring.secret()

    def reader(digest, salt="cookie-session"):
        how = {"key_derivation": "hmac", "digest_method": digest}
        return URLSafeTimedSerializer(key, salt=salt, signer_kwargs=how)

    known = app.session_interface.get_signing_serializer(app)
    assert known.loads(signed)["person"] == str(robin.id)
    assert reader(hashlib.sha256).signer_kwargs == known.signer_kwargs
    forgeries = [
        signed[:-2] + ("AA" if signed[-2:] != "AA" else "BB"),
        reader(hashlib.sha1).dumps(known.loads(signed)),
        reader(hashlib.sha256, salt="wtf-csrf-token").dumps(known.loads(signed)),
        signed.rpartition(".")[0] + ".",
    ]
    for forged in forgeries:
        stranger = app.test_client()
        stranger.set_cookie("preview360", forged)
        assert "/sign-in" in stranger.get("/rounds").headers["Location"]


def test_signing_out_asks_the_browser_to_forget(app, robin):
    visitor = Visitor(app, robin)
    visitor.open("/rounds")
    token = visitor.page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = visitor.client.post("/sign-out", data={"csrf_token": token})

    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


def test_an_address_that_the_visitor_makes_up_counts_for_nothing(settings, clock):
    """Without a proxy in front nobody is believed who they say they come for."""
    limited = create_app(settings, clock=clock, config={"TESTING": True})
    client = limited.test_client()
    codes = [
        client.get("/r/nothing", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(61)
    ]
    poisoned = client.get("/sign-in", headers={"X-Forwarded-Host": "evil.example.net"})

    assert codes == [404] * 60 + [429]
    assert "evil" not in poisoned.text
    with limited.app_context():
        db.db.engine.dispose()


def test_behind_one_proxy_its_word_counts_and_no_other(tmp_path, settings, clock):
    behind = settings.model_copy(update={"proxies": 1})
    limited = create_app(behind, clock=clock, config={"TESTING": True})
    client = limited.test_client()
    codes = [
        client.get(
            "/r/nothing", headers={"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.7"}
        ).status_code
        for number in range(61)
    ]
    other = client.get("/r/nothing", headers={"X-Forwarded-For": "10.0.0.1, 192.0.2.8"})

    assert codes == [404] * 60 + [429]
    assert other.status_code == 404
    with limited.app_context():
        db.db.engine.dispose()


def test_what_stands_in_an_address_is_no_field_of_a_form(app, session, keyring):
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    rater = Visitor(app)
    rater.open(f"/r/{link}")
    rater.send(action="/start")
    token = rater.page.split('name="csrf_token" value="')[1].split('"')[0]
    first = f"/r/{link}/part/1"
    rater.client.post(f"{first}?MM01=5", data={"csrf_token": token, "MM02": ["1", "5"]})

    page = rater.open(first)
    assert page.count("checked") == 1
    assert 'name="MM02" value="1" checked' in page


def test_an_installation_has_nobody_in_it_at_first(tmp_path):
    """No default account: the first administrator is made by a command on the server."""
    app = create_app(installation(tmp_path), clock=lambda: NOW)
    with app.app_context():
        db.db.create_all()
        assert db.session().execute(db.db.text("SELECT count(*) FROM person")).scalar() == 0
        db.db.session.remove()
        db.db.engine.dispose()
