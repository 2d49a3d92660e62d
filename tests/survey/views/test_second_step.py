"""A second step beside the mailed code: set up, asked for, and taken away."""

import copy
import json
import re
from datetime import UTC, datetime

import pyotp
import pytest
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from sqlalchemy import select

from survey import create_app, db, jobs, sealing
from survey.keyring import Keyring
from survey.models import AuditEntry, Authenticator, Passkey, Person
from survey.services import passkeys, people, second_step
from survey.site import EXTENSION
from tests import factories
from tests.conftest import on_sqlite
from tests.device import PRESENT, Device
from tests.launching import at_once
from tests.visitor import Visitor

ORIGIN = "http://localhost"
CHANGED = "how you sign in was changed"


@pytest.fixture
def robin(session):
    person = factories.person(session, "Robin", "leader")
    session.commit()
    return person


@pytest.fixture
def sam(session):
    person = factories.person(session, "Sam", "leader")
    session.commit()
    return person


def fresh(session, person):
    """Somebody in a browser that has just been signed in."""
    session.refresh(person)
    session.commit()
    return person


@pytest.fixture
def mail_code(app, catcher):
    """Somebody who has asked for a code and sent it, in a browser of their own."""

    def mailed(name="robin"):
        visitor = Visitor(app)
        visitor.open("/sign-in")
        visitor.send({"email": f"{name}@example.org"})
        jobs.sweep(app)
        written = catcher.text_to(f"{name}@example.org", "sign in is:")
        visitor.send({"code": written.split("sign in is:")[1].split()[0]})
        return visitor

    return mailed


@pytest.fixture
def shown(app, session, robin, clock):
    """The app in Robin's phone, once it is set up: the code that it shows."""
    visitor = Visitor(app, robin)
    visitor.open("/account")
    visitor.send(action="/account/app/begin")
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", visitor.page))
    app_in_phone = pyotp.TOTP(secret)
    visitor.send({"code": app_in_phone.at(clock.now)})
    assert "The app is set up" in visitor.page
    clock.forward(minutes=2)
    return lambda **later: app_in_phone.at(clock.now, **later)


def test_whoever_has_an_app_is_asked_for_its_code(shown, mail_code):
    visitor = mail_code()
    assert visitor.address == "/sign-in/second-step"
    visitor.send({"code": shown()})

    assert visitor.address == "/rounds"


def test_whoever_has_none_is_not_asked(robin, mail_code):
    assert mail_code().address == "/rounds"


def test_the_code_from_the_mail_alone_opens_nothing(shown, mail_code):
    visitor = mail_code()

    for address in ("/rounds", "/account", "/account/app"):
        visitor.open(address)
        assert visitor.address == "/sign-in"


def test_a_code_of_the_app_works_once(shown, mail_code):
    code = shown()
    first, second = mail_code(), mail_code()
    first.send({"code": code})
    second.send({"code": code})

    assert first.address == "/rounds"
    assert second.status == 422
    assert "Please try the next one" in second.page


def test_of_many_who_send_a_code_at_once_one_gets_in(app, shown, mail_code, robin):
    code, visitors = shown(), [mail_code() for _ in range(4)]
    at_once([lambda each=each: each.send({"code": code}) for each in visitors])

    assert [each.address for each in visitors].count("/rounds") == 1


@pytest.mark.parametrize(
    ("steps", "lets_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
@on_sqlite
def test_a_phone_may_be_half_a_minute_early_or_late(steps, lets_in, shown, mail_code):
    visitor = mail_code()
    visitor.send({"code": shown(counter_offset=steps)})

    assert (visitor.address == "/rounds") is lets_in


@on_sqlite
def test_the_code_of_the_standard_is_the_code(session, keyring, robin):
    """RFC 6238, appendix B: at 59 seconds, of eight digits 94287082 the last six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    locked = sealing.lock(second_step._key(keyring), secret.encode(), 40, robin.id.bytes)
    session.add(Authenticator(person_id=robin.id, secret=locked))
    session.flush()
    moment = datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)

    assert not second_step.take_code(session, keyring, robin, "287083", moment)
    assert second_step.take_code(session, keyring, robin, "287 082", moment)


@on_sqlite
def test_guessing_is_limited_for_the_person_wherever_one_guesses(
    settings, clock, shown, mail_code, robin
):
    app = create_app(settings, clock=clock, config={"TESTING": True})
    with app.app_context():
        db.db.engine.dispose()
    cookie = mail_code().client.get_cookie("preview360").value

    def tried(code, place):
        client = app.test_client()
        client.set_cookie("preview360", cookie)
        page = client.get("/sign-in/second-step").text
        proof = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        data = {"code": code, "csrf_token": proof}
        where = {"REMOTE_ADDR": f"10.0.0.{place}"}
        return client.post("/sign-in/second-step", data=data, environ_base=where).status_code

    wrong = f"{(int(shown()) + 500_000) % 1_000_000:06}"
    assert [tried(wrong, place) for place in range(5)] == [422] * 5
    assert tried(shown(), 6) == 429
    clock.forward(minutes=15)
    cookie = mail_code().client.get_cookie("preview360").value
    assert tried(shown(), 7) == 302
    with app.app_context():
        db.db.engine.dispose()


@on_sqlite
def test_without_a_limit_guessing_goes_on(shown, mail_code):
    visitor = mail_code()
    wrong = f"{(int(shown()) + 500_000) % 1_000_000:06}"
    for _ in range(30):
        visitor.send({"code": wrong})
    visitor.send({"code": shown()})

    assert visitor.address == "/rounds"


def test_the_second_step_waits_ten_minutes(shown, mail_code, clock):
    visitor = mail_code()
    clock.forward(minutes=11)
    visitor.open("/sign-in/second-step")

    assert visitor.address == "/sign-in"


def test_whoever_is_made_inactive_meanwhile_does_not_get_in(shown, mail_code, session, robin):
    visitor = mail_code()
    session.get_one(Person, robin.id, populate_existing=True).active = False
    session.commit()
    visitor.send({"code": shown()})

    assert visitor.address == "/sign-in"


def test_a_change_signs_out_elsewhere_and_is_mailed(app, session, robin, catcher, shown):
    there = Visitor(app, fresh(session, robin))
    here = Visitor(app, robin)
    there.open("/rounds")
    assert there.address == "/rounds"
    here.open("/account")
    here.send(action="/account/app/remove")
    assert "The app is removed" in here.page

    there.open("/rounds")
    assert there.address == "/sign-in"
    jobs.sweep(app)
    assert "If you did not expect this" in catcher.text_to("robin@example.org", CHANGED)
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts[1:] == ["authenticator app added", "authenticator app removed"]


def test_only_whoever_has_just_signed_in_changes_it(app, robin, shown, session, clock):
    visitor = Visitor(app, fresh(session, robin), now=clock.now)
    visitor.open("/account")
    page = visitor.page
    clock.forward(minutes=16)
    visitor.page = page
    visitor.send(action="/account/app/remove")

    assert visitor.status == 403
    assert "sign in again" in visitor.page
    session.commit()
    assert session.scalar(select(Authenticator)) is not None
    assert "Remove the app" not in visitor.open("/account")


def test_a_secret_is_shown_only_until_it_is_confirmed_and_never_stored_in_clear(
    app, session, robin, keyring, shown, clock
):
    visitor = Visitor(app, fresh(session, robin), now=clock.now)
    visitor.open("/account/app")
    assert visitor.status == 404

    row = session.scalars(select(Authenticator)).one()
    secret = second_step._secret(keyring, row).encode()
    assert pyotp.TOTP(secret.decode()).at(clock.now) == shown()
    assert secret not in row.secret
    assert pyotp.TOTP(secret.decode()).byte_secret() not in row.secret


def test_what_another_keyring_has_locked_is_said_to_be_lost(
    app, session, shown, mail_code, tmp_path
):
    visitor = mail_code()
    row = session.scalars(select(Authenticator)).one()
    other = second_step._key(Keyring(tmp_path / "other"))
    row.secret = sealing.lock(other, b"A" * 32, 40, row.person_id.bytes)
    session.commit()
    visitor.send({"code": "123456"})

    assert visitor.status == 409
    assert "An administrator can remove it" in visitor.page


def test_an_administrator_takes_it_away_and_the_code_is_enough(
    app, session, shown, mail_code, catcher, robin, clock
):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    visitor = Visitor(app, andy, now=clock.now)
    assert "an authenticator app" in visitor.open(f"/administration/people/{robin.id}")
    visitor.send(action=f"/administration/people/{robin.id}/second-step/remove")

    assert "Robin Example signs in with a mailed code alone" in visitor.page
    assert "Second step" not in visitor.page
    assert mail_code().address == "/rounds"
    jobs.sweep(app)
    assert catcher.text_to("robin@example.org", CHANGED)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.actor_id == andy.id)).one()
    assert (entry.act, entry.subject) == ("second step removed", "robin@example.org")


def test_another_address_does_not_get_around_it(
    app, session, keyring, shown, mail_code, robin, clock
):
    """Whoever changed it could else read the codes, and then the previews."""
    entry = people.Entry("Robin Example", "andy.too@example.org", ["leader"])
    person = session.get_one(Person, robin.id, populate_existing=True)
    people.change(session, keyring, person, entry, "en", clock.now)
    session.commit()
    session.close()
    visitor = mail_code("andy.too")

    assert visitor.address == "/sign-in/second-step"
    visitor.send({"code": shown()})
    assert visitor.address == "/rounds"


@pytest.mark.parametrize(
    ("whose", "name", "has_to"),
    [
        ("optional", "andy", False),
        ("administrators", "andy", True),
        ("administrators", "robin", False),
        ("everybody", "robin", True),
    ],
)
@on_sqlite
def test_an_organisation_may_want_it_of_some_or_all(
    whose, name, has_to, app, session, robin, clock, mail_code
):
    factories.person(session, "Andy", "administrator")
    session.commit()
    here = app.extensions[EXTENSION]
    here.settings = here.settings.model_copy(update={"second_step": whose})
    visitor = mail_code(name)

    assert (visitor.address == "/account") is has_to
    if not has_to:
        return
    assert "Before you go on" in visitor.page
    visitor.open("/administration/people" if name == "andy" else "/rounds")
    assert visitor.address == "/account"
    visitor.send(action="/account/app/begin")
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", visitor.page))
    visitor.send({"code": pyotp.TOTP(secret).at(clock.now)})
    visitor.open("/")
    assert visitor.address in ("/administration/people", "/rounds")
    visitor.open("/account")
    visitor.send(action="/account/app/remove")
    visitor.open("/")
    assert visitor.address == "/account"


class TestPasskeys:
    """With a device that does as it is told."""

    @pytest.fixture
    def device(self):
        return Device(ORIGIN)

    @pytest.fixture
    def ask(self):
        """What a page's script asks for before it asks the browser."""

        def asked(visitor, page, address):
            visitor.open(page)
            proof = re.search(r'name="csrf_token" value="([^"]+)"', visitor.page)[1]
            answer = visitor.client.post(address, data={"csrf_token": proof})
            assert answer.status_code == 200
            return answer.json

        return asked

    @pytest.fixture
    def add(self, app, session, ask, clock):
        def added(person, device, **lies):
            visitor = Visitor(app, fresh(session, person), now=clock.now)
            options = ask(visitor, "/account", "/account/passkeys/options")
            credential = device.make(options, **lies)
            visitor.send({"credential": credential, "name": "My phone"}, action="/account/passkeys")
            return visitor

        return added

    @pytest.fixture
    def use(self, app, ask):
        def used(device, **lies):
            visitor = Visitor(app)
            options = ask(visitor, "/sign-in", "/sign-in/passkey/options")
            credential = device.answer(options, **lies)
            visitor.send({"credential": credential}, action="/sign-in/passkey")
            return visitor

        return used

    def test_one_signs_in_with_a_passkey_alone(self, robin, device, add, use, app, catcher):
        page = add(robin, device).page
        assert "The passkey is added" in page
        assert "My phone" in page
        jobs.sweep(app)
        assert catcher.text_to("robin@example.org", CHANGED)

        visitor = use(device)
        assert visitor.address == "/rounds"
        assert "last used on" in visitor.open("/account")

    def test_whoever_has_one_is_asked_for_it_after_the_code(
        self, robin, device, add, mail_code, ask
    ):
        add(robin, device)
        visitor = mail_code()
        assert visitor.address == "/sign-in/second-step"
        assert "Code from the app" not in visitor.page
        options = ask(visitor, "/sign-in/second-step", "/sign-in/passkey/options")
        visitor.send({"credential": device.answer(options)}, action="/sign-in/passkey")

        assert visitor.address == "/rounds"

    @pytest.mark.parametrize(
        "lies",
        [
            {"origin": "https://localhost"},
            {"origin": "http://localhost:8360"},
            {"origin": "http://localhost.example.org"},
            {"type": "webauthn.get"},
            {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        ],
        ids=lambda lies: " ".join(lies.values())[:30],
    )
    def test_what_was_not_asked_for_here_is_not_added(self, lies, robin, device, add, session):
        visitor = add(robin, device, **lies)

        assert visitor.status == 422
        assert "does not fit" in visitor.page
        session.commit()
        assert session.scalar(select(Passkey)) is None

    @pytest.mark.parametrize(
        "lies",
        [
            {"origin": "https://localhost"},
            {"origin": "http://localhost.example.org"},
            {"type": "webauthn.create"},
            {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        ],
        ids=lambda lies: " ".join(lies.values())[:30],
    )
    def test_an_answer_to_something_else_lets_nobody_in(self, lies, robin, device, add, use):
        add(robin, device)
        visitor = use(device, **lies)

        assert visitor.address == "/sign-in"
        assert "does not fit" in visitor.page
        assert use(device).address == "/rounds"

    def test_without_looking_whose_page_asks_another_page_gets_in(
        self, robin, device, add, use, monkeypatch
    ):
        """What a page in between would do: it passes our question on, and the answer back."""
        add(robin, device)
        here = PublicKeyCredentialRpEntity(name="any", id="localhost")
        trusting = Fido2Server(here, verify_origin=lambda _given: True)
        monkeypatch.setattr(passkeys, "_server", lambda _origin: trusting)

        assert use(device, origin="https://localhost.example.org").address == "/rounds"

    @pytest.mark.parametrize("what", ["key", "id", "host", "owner", "flags"])
    def test_another_device_lets_nobody_in(self, what, robin, sam, device, add, use):
        other = Device("http://other.example.org")
        add(robin, device)
        add(sam, other)
        other.flags = PRESENT
        setattr(device, what, getattr(other, what))

        assert use(device).address == "/sign-in"

    def test_an_answer_is_taken_once(self, app, robin, device, add, ask):
        add(robin, device)
        visitor = Visitor(app)
        options = ask(visitor, "/sign-in", "/sign-in/passkey/options")
        before = visitor.client.get_cookie("preview360").value
        page, answer = visitor.page, device.answer(options)
        visitor.send({"credential": answer}, action="/sign-in/passkey")
        assert visitor.address == "/rounds"

        again = Visitor(app)
        again.client.set_cookie("preview360", before)
        again.page = page
        again.send({"credential": answer}, action="/sign-in/passkey")
        assert again.address == "/sign-in"

    def test_an_answer_is_taken_only_of_the_browser_that_was_asked(
        self, app, robin, device, add, ask
    ):
        add(robin, device)
        options = ask(Visitor(app), "/sign-in", "/sign-in/passkey/options")
        other = Visitor(app)
        ask(other, "/sign-in", "/sign-in/passkey/options")
        other.send({"credential": device.answer(options)}, action="/sign-in/passkey")

        assert other.address == "/sign-in"

    def test_an_answer_is_taken_for_ten_minutes(self, app, robin, device, add, ask, clock):
        add(robin, device)
        visitor = Visitor(app)
        options = ask(visitor, "/sign-in", "/sign-in/passkey/options")
        clock.forward(minutes=11)
        visitor.send({"credential": device.answer(options)}, action="/sign-in/passkey")

        assert visitor.address == "/sign-in"

    def test_a_copy_that_counts_less_lets_nobody_in(self, robin, device, add, use):
        add(robin, device)
        device.uses = 7
        assert use(device).address == "/rounds"
        assert use(device).address == "/sign-in"
        device.uses = 6
        assert use(device).address == "/sign-in"
        device.uses = 8
        assert use(device).address == "/rounds"

    def test_a_passkey_is_removed_by_its_owner_only(self, app, session, robin, sam, device, add):
        add(robin, device)
        session.commit()
        passkey = session.scalars(select(Passkey)).one()
        stranger = Visitor(app, fresh(session, sam))
        stranger.open("/account")
        proof = re.search(r'name="csrf_token" value="([^"]+)"', stranger.page)[1]
        address = f"/account/passkeys/{passkey.id}/remove"
        answer = stranger.client.post(address, data={"csrf_token": proof})
        assert answer.status_code == 404

        visitor = Visitor(app, fresh(session, robin))
        visitor.open("/account")
        visitor.send(action=address)
        assert "The passkey is removed" in visitor.page
        session.commit()
        assert session.scalar(select(Passkey)) is None

    def test_a_passkey_without_a_name_gets_one(self, app, session, robin, device, ask):
        visitor = Visitor(app, fresh(session, robin))
        options = ask(visitor, "/account", "/account/passkeys/options")
        visitor.send({"credential": device.make(options), "name": " "}, action="/account/passkeys")

        assert "<h3>Passkey</h3>" in visitor.page

    def test_one_device_is_added_once(self, robin, sam, device, add, session):
        add(robin, device)
        device_of_both = add(sam, device)

        assert device_of_both.status == 422
        session.commit()
        assert session.scalars(select(Passkey.person_id)).one() == robin.id

    def test_where_browsers_make_none_nobody_is_asked(self, app, robin, session):
        here = app.extensions[EXTENSION]
        for address in ("http://127.0.0.1:8360", "http://feedback.intranet", "https://[::1]"):
            here.settings = here.settings.model_copy(update={"base_url": address})
            visitor = Visitor(app, fresh(session, robin))
            assert "passkeys.js" not in visitor.open("/account")
            assert "This server makes none" in visitor.page
            assert "passkeys.js" not in Visitor(app).open("/sign-in")

    @on_sqlite
    def test_whatever_is_sent_is_refused_and_nothing_breaks(self, app, robin, device, add, ask):
        add(robin, device)
        device.key = Device(ORIGIN).key
        shape = json.loads(device.answer({"challenge": "AAAA"}))
        values = st.one_of(
            st.none(), st.integers(), st.text(max_size=20), st.just({}), st.just([]),
            st.sampled_from([shape["id"], shape["response"], *shape["response"].values()]),
        )  # fmt: skip
        fields = st.sampled_from([*shape, *shape["response"]])

        @hypothesis_settings(
            max_examples=150, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(changes=st.dictionaries(fields, values, max_size=4), junk=st.text(max_size=40))
        def refused(changes, junk):
            visitor = Visitor(app)
            options = ask(visitor, "/sign-in", "/sign-in/passkey/options")
            sent = json.loads(device.answer(options))
            for name, value in changes.items():
                where = sent if name in shape else sent["response"]
                if isinstance(where, dict):
                    where[name] = copy.deepcopy(value)
            for answer in (json.dumps(sent), junk):
                visitor.open("/sign-in")
                visitor.send({"credential": answer}, action="/sign-in/passkey")
                assert (visitor.status, visitor.address) in (
                    (200, "/sign-in"),
                    (422, "/sign-in/passkey"),
                )

        refused()


@on_sqlite
def test_in_a_real_browser_a_passkey_is_made_and_used(served, app, somebody, robin, session):
    """Chromium, with a device of its own making."""
    origin = served.replace("127.0.0.1", "localhost")
    here = app.extensions[EXTENSION]
    here.settings = here.settings.model_copy(update={"base_url": origin})
    page = somebody(base_url=origin)
    chrome = page.context.new_cdp_session(page)
    chrome.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    chrome.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    cookie = Visitor(app, fresh(session, robin)).client.get_cookie("preview360").value
    page.context.add_cookies([{"name": "preview360", "value": cookie, "url": origin}])
    page.goto("/account")
    page.get_by_label("Name of the new passkey").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey is added")).to_be_visible()
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="My rounds")).to_be_visible()
