"""Another program is told what becomes of rounds: signed, until it has heard, and no more."""

import json
from base64 import b64encode
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from survey import jobs, upkeep
from survey.clock import utc_now
from survey.keyring import Side
from survey.models import Round, Webhook
from survey.services import closing, rounds, webhooks
from survey.site import EXTENSION
from survey.webhooks import NoReceiver, NotTaken, send_test, signature
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.launching import at_once
from tests.receiver import receiving
from tests.world import finished, practised

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def _one():
    with receiving() as one:
        yield one


@pytest.fixture
def receiver(_one):
    _one.got, _one.status, _one.location = [], 204, ""
    return _one


@pytest.fixture
def settings(settings, receiver):
    told = {"webhook_url": receiver.url, "webhook_secret": SECRET}
    return settings.model_copy(update=told)


@pytest.fixture
def told(receiver):
    """What it was told: kinds with the data."""
    return lambda: [(each["type"], each["data"]) for each in map(read, receiver.got)]


def read(got):
    return json.loads(got[1])


@pytest.fixture
def opened(session, keyring):
    """A round that has opened, of which nobody was told yet."""
    round_ = factories.opened(session, keyring)
    session.commit()
    return round_


def test_a_round_is_told_of_when_it_opens_has_enough_and_is_released(
    app, session, keyring, clock, opened, told
):
    data = {"round_id": str(opened.id), "leader_id": str(opened.leader_id), "programme_id": None}
    jobs.sweep(app)
    assert told() == [("round.opened", data)]
    session.refresh(opened)
    factories.all_answer(session, keyring, opened)
    session.commit()
    jobs.sweep(app)
    assert len(told()) == 1, "looked at once a day only"

    clock.forward(days=1)
    jobs.sweep(app)
    clock.forward(days=1)
    jobs.sweep(app)
    assert told()[1:] == [("round.enough", data)]
    clock.now = CLOSES + timedelta(minutes=1)
    jobs.sweep(app)
    jobs.sweep(app)
    assert told()[2:] == [("round.released", data)]


def test_it_is_told_of_a_round_that_ends_without_a_preview(app, session, opened, told):
    rounds.void(session, session.get_one(Round, opened.id), NOW)
    session.commit()
    jobs.sweep(app)

    assert {kind for kind, _ in told()} == {"round.opened", "round.void"}


def test_what_it_is_told_is_signed_as_others_check_it(app, clock, opened, receiver):
    clock.now = utc_now()
    jobs.sweep(app)
    [(headers, body)] = receiver.got

    assert Verifier(SECRET).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body.replace(b"opened", b"enough"), headers)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + b64encode(bytes(32)).decode()).verify(body, headers)
    clock.now -= timedelta(minutes=6)
    old = headers | {
        "webhook-timestamp": str(int(clock.now.timestamp())),
    }
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body, old)


def test_the_signature_is_that_of_the_standard():
    """The example of Standard Webhooks 1.0, `spec/standard-webhooks.md`."""
    key, number = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"

    assert (
        signature(key, number, 1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize("status", [301, 400, 404, 410, 500, 503])
@on_sqlite
def test_what_is_not_taken_comes_again_under_the_same_number(
    status, app, clock, opened, receiver, session
):
    receiver.status, receiver.location = status, receiver.url + "/elsewhere"
    jobs.sweep(app)
    jobs.sweep(app)
    assert len(receiver.got) == 1
    receiver.status = 200
    clock.forward(minutes=2)
    jobs.sweep(app)
    jobs.sweep(app)

    (first, body), (second, same) = receiver.got
    assert (first["webhook-id"], body) == (second["webhook-id"], same)
    assert session.scalar(select(func.count(Webhook.id))) == 0


def test_it_is_given_up_after_three_days_and_sent_again_when_wanted(
    app, clock, opened, receiver, session
):
    receiver.status = 500
    for _ in range(200):
        jobs.sweep(app)
        clock.forward(minutes=30)
    assert len(receiver.got) == 1 + len(webhooks.WAITS)
    assert webhooks.given_up(session) == 1
    assert webhooks.latest_trouble(session) == "it answered with status 500"
    session.rollback()

    receiver.status = 204
    assert webhooks.send_again(session, clock.now) == 1
    session.commit()
    jobs.sweep(app)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    session.rollback()
    assert session.scalar(select(func.count(Webhook.id))) == 0


def test_whoever_dies_while_telling_leaves_it_to_the_next(app, clock, opened, receiver, session):
    claimed = webhooks.claim(session, NOW)
    session.commit()
    assert claimed is not None
    jobs.sweep(app)
    assert receiver.got == []

    clock.forward(minutes=6)
    jobs.sweep(app)
    [(headers, _)] = receiver.got
    assert headers["webhook-id"] == str(claimed.id)


@on_sqlite
def test_a_receiver_that_is_ill_holds_up_other_work_for_one_message(
    app, session, keyring, receiver, clock
):
    for number in range(3):
        leader = factories.person(session, f"Leader{number}", "leader")
        factories.opened(session, keyring, leader=leader)
    session.commit()
    receiver.status = 500
    jobs.answer(app, "tell")
    assert len(receiver.got) == 1

    receiver.status = 204
    clock.forward(minutes=2)
    jobs.answer(app, "tell")
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 3


def test_many_workers_tell_it_once(app, session, keyring, receiver):
    for number in range(6):
        leader = factories.person(session, f"Leader{number}", "leader")
        factories.opened(session, keyring, leader=leader)
    session.commit()
    at_once([lambda: jobs.answer(app, "tell")] * 3)
    jobs.answer(app, "tell")

    numbers = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(numbers) == len(set(numbers)) == 6


@on_sqlite
def test_without_a_receiver_nothing_is_kept_for_one(app, opened, receiver, session):
    here = app.extensions[EXTENSION]
    here.settings = here.settings.model_copy(update={"webhook_url": ""})
    jobs.sweep(app)
    session.rollback()

    assert session.scalar(select(func.count(Webhook.id))) == 0
    assert receiver.got == []
    with pytest.raises(NoReceiver):
        send_test(here)


@on_sqlite
def test_a_receiver_that_is_away_is_found_by_the_doctor(app, opened, receiver, session):
    here = app.extensions[EXTENSION]

    def said():
        found = upkeep.look_over(here, session)
        session.rollback()
        return [each.found for each in found if "does not take" in each.found]

    send_test(here)
    [(_, body)] = receiver.got
    assert json.loads(body)["type"] == "test"
    assert said() == []
    here.settings = here.settings.model_copy(update={"webhook_url": "http://127.0.0.1:9/"})
    with pytest.raises(NotTaken, match="ConnectionError"):
        send_test(here)
    jobs.sweep(app)
    [trouble] = said()
    assert "http://127.0.0.1:9/ does not take what it is told: ConnectionError" in trouble


@on_sqlite
def test_pulses_are_not_told_of(session, keyring):
    """They belong to a leader's plan, which is nobody else's."""
    ended = finished(session, keyring, factories.person(session, "Robin", "leader"))
    pulse = practised(session, keyring, ended)
    assert pulse.round.opens_at is not None

    about = set(session.scalars(select(Webhook.round_id)))
    assert about == {ended.id}


def test_the_closing_side_leaves_a_message_that_the_web_side_sends(
    app, session, keyring, clock, opened, told
):
    factories.all_answer(session, keyring, opened)
    closing.close(session, keyring, opened.id, CLOSES)
    session.commit()
    clock.now = CLOSES
    assert "tell" not in jobs.periods(Side.CLOSING)
    jobs.sweep(app)

    assert {kind for kind, _ in told()} == {"round.opened", "round.released"}
