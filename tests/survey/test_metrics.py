"""Prometheus learns what waits and what fails, if it has the key."""

import time
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, select, update

from survey import create_app, jobs
from survey.keyring import Side
from survey.metrics import SHARED
from survey.models import Invitation, Mail, MailKind, MailState
from survey.services import mails
from tests import factories
from tests.conftest import CLOSES, METRICS_KEY, NOW, on_sqlite
from tests.visitor import Visitor


def read(app, **labels):
    """All figures of one look, by name and the value of their label."""
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("preview360_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@on_sqlite
@pytest.mark.parametrize(
    "shown", [None, "Bearer another", f"Basic {METRICS_KEY}", f"Bearer {METRICS_KEY}x", "Bearer"]
)
def test_without_the_key_nothing_is_told(client, shown):
    answer = client.get("/metrics", headers={"Authorization": shown} if shown else {})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "preview360_" not in answer.text


@on_sqlite
@pytest.mark.parametrize("shown", ["Bearer ", "Bearer anything"])
def test_without_a_key_in_the_settings_there_is_no_such_page(settings, shown):
    app = create_app(settings.model_copy(update={"metrics_key": ""}))

    assert app.test_client().get("/metrics", headers={"Authorization": shown}).status_code == 404


def test_rounds_are_told_by_state_and_what_is_overdue(app, session, keyring, clock):
    for name in ("Ro", "Sa"):
        factories.opened(session, keyring, leader=factories.person(session, name, "leader"))
    factories.released(session, keyring, factories.person(session, "Lee", "leader"))
    session.close()
    told = read(app)
    assert (told["rounds", "open"], told["rounds", "released"], told["rounds", "void"]) == (2, 1, 0)
    assert told["rounds_overdue",] == 0

    clock.now = CLOSES
    assert read(app)["rounds_overdue",] == 2


def test_mails_are_told_once_they_could_leave_and_reminders_never(app, session, keyring, clock):
    factories.opened(session, keyring, roster={"peer": 3})
    session.execute(delete(Mail))
    robin = factories.person(session, "Rob")
    later = NOW + timedelta(minutes=5)
    mails.queue(session, MailKind.COACH_ACCESS, "one", robin, "en", NOW)
    mails.queue(session, MailKind.COACH_ACCESS, "two", robin, "en", later)
    mails.queue(session, MailKind.COACH_ACCESS, "three", robin, "en", NOW)
    session.flush()
    session.execute(update(Mail).where(Mail.key == "three").values(state=MailState.FAILED))
    for invitation in session.scalars(select(Invitation)):
        mails.queue_reminder(session, invitation, NOW)
    session.commit()
    session.close()

    told = read(app)
    assert (told["mails", "waiting"], told["mails", "failed"]) == (1, 1)
    clock.now = later
    assert read(app)["mails", "waiting"] == 2


def test_when_a_task_is_due_shows_whether_a_worker_runs(app, clock):
    assert not [name for name in read(app) if name[0] == "task_due_timestamp_seconds"]
    jobs.tick(app)

    told = read(app)
    assert told["task_due_timestamp_seconds", "deliver"] == (NOW + jobs.OFTEN).timestamp()
    assert told["task_due_timestamp_seconds", "close"] == (NOW + jobs.OFTEN).timestamp()


@on_sqlite
def test_a_web_side_tells_how_many_rounds_could_be_opened(settings, session, keyring):
    web = create_app(settings.model_copy(update={"side": Side.WEB}))
    assert read(web)["ballot_keys",] == 0


@on_sqlite
def test_pages_of_signed_in_people_are_timed_and_those_of_raters_are_not(app, session, keyring):
    round_ = factories.opened(session, keyring)
    link = next(iter(factories.links(session, keyring, round_).values()))
    leader = round_.leader
    session.commit()
    Visitor(app).open(f"/r/{link}")
    Visitor(app).open("/sign-in")
    began = time.perf_counter()
    Visitor(app, leader).open("/rounds")
    took = time.perf_counter() - began
    session.close()

    told = read(app)
    pages = {name[1] for name in told if name[0] == "request_seconds_count"}
    assert pages == {"leader.rounds"}
    assert told["request_seconds_count", "leader.rounds", "200"] == 1
    assert 0 < told["request_seconds_sum", "leader.rounds", "200"] <= took


@on_sqlite
def test_a_process_that_is_just_starting_disturbs_nobody(app, tmp_path, monkeypatch):
    # Its file is there a moment before there is anything in it.
    (tmp_path / "counter_1.db").touch()
    monkeypatch.setenv(SHARED, str(tmp_path))
    assert ("rounds", "open") in read(app)


@on_sqlite
def test_a_failure_is_counted(app, session):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    session.connection().exec_driver_sql("ALTER TABLE mail RENAME TO put_away")
    session.commit()
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    assert app.test_client().get("/metrics", headers=headers).status_code >= 500
    session.connection().exec_driver_sql("ALTER TABLE put_away RENAME TO mail")
    session.commit()
    session.close()

    assert read(app)["failures_total",] == 1


@on_sqlite
@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics"])
def test_what_watches_the_server_may_call_it_by_any_name(client, address):
    headers = {"Host": "10.1.2.3:8360", "Authorization": f"Bearer {METRICS_KEY}"}

    assert client.get(address, headers=headers).status_code == 200
    assert client.get("/sign-in", headers=headers).status_code == 400
    assert client.get("/health/", headers=headers).status_code == 400
