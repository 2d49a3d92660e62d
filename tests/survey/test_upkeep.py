"""The doctor finds what keeps an installation from going, and names the cure."""

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from reports.printing import Limits, Printer
from survey import jobs
from survey.keyring import Side
from survey.models import Mail, MailKind
from survey.services import mails, people
from survey.site import EXTENSION
from survey.upkeep import look_over
from tests import factories
from tests.conftest import NOW, on_sqlite


@pytest.fixture
def here(app):
    return app.extensions[EXTENSION]


@pytest.fixture
def set_to(here):
    """Change settings of the running installation."""

    def change(**values):
        here.settings = here.settings.model_copy(update=values)

    return change


@pytest.fixture
def said(app, here, session, set_to):
    """What it says of an installation that lacks nothing, but for what a test does to it."""
    factories.person(session, "Andy", "administrator")
    session.commit()
    jobs.tick(app)
    set_to(base_url="https://feedback.example.org", proxies=1)

    def look(**more):
        session.commit()
        findings = look_over(here, session, **more)
        session.rollback()
        return [f"{finding.found} {finding.cure}" for finding in findings if finding.cure]

    return look


def test_an_installation_that_lacks_nothing_needs_nothing(said):
    assert said() == []


def test_an_installation_for_which_nobody_works_is_found(here, session, clock, said):
    clock.forward(hours=1)
    assert said() == []
    clock.forward(hours=2)
    [trouble] = said()
    assert f"since {NOW:%F %H:%M}" in trouble
    assert "run `preview360 work`" in trouble


def test_a_scheduler_that_starts_a_worker_now_and_then_is_enough(app, clock, said):
    clock.forward(hours=3)
    jobs.sweep(app)

    assert said() == []


@pytest.mark.parametrize("side", list(Side))
def test_an_installation_for_which_nobody_has_worked_yet_is_found(here, session, keyring, side):
    keyring.side = side
    found = [each.found for each in look_over(here, session)]
    assert "No worker has run yet: no mail leaves, and no round closes." in found


def test_where_nobody_is_administrator_that_is_found(session, said):
    [andy] = people.everybody(session)
    andy.administers = False

    [trouble] = said()
    assert "--role administrator" in trouble


@on_sqlite
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://127.0.0.1:9", "does not answer"),
        ("smtp://user:s3cret@127.0.0.1:{port}", "let us not in"),
        ("file:/proc/nowhere", "No such file"),
    ],
)
def test_a_mail_server_that_lets_nobody_in_is_found(set_to, said, catcher, url, reason):
    set_to(mail_url=url.format(port=catcher.port))

    [trouble] = said()
    assert trouble.startswith("No mail can be handed over")
    assert reason in trouble
    assert "s3cret" not in trouble


@on_sqlite
def test_looking_sends_no_mail(here, session, said, catcher):
    robin = factories.person(session, "Rob")
    mails.queue(session, MailKind.COACH_ACCESS, "one", robin, "en", NOW)

    assert said() == []
    assert catcher.mails == []
    assert session.scalars(select(Mail.sent_at)).all() == [None]


def test_mails_that_lie_are_found(here, session, said):
    robin = factories.person(session, "Rob")
    mails.queue(session, MailKind.COACH_ACCESS, "one", robin, "en", NOW - timedelta(minutes=61))

    [trouble] = said()
    assert trouble == (
        "1 mails could have left an hour ago and still wait. `preview360 mail list` says why."
    )


@on_sqlite
def test_a_sender_whom_nobody_can_answer_is_found(set_to, said):
    set_to(mail_from="Preview360 <preview360@localhost>")

    [trouble] = said()
    assert "PREVIEW360_MAIL_FROM" in trouble


@on_sqlite
def test_a_printer_that_cannot_print_is_found(here, said):
    here.printer = Printer(Limits(memory=1))

    [trouble] = said()
    assert trouble.startswith("No preview can be printed")
    assert "libpango" in trouble


@on_sqlite
def test_a_proxy_that_is_not_counted_is_found(set_to, said):
    set_to(proxies=0)

    [trouble] = said()
    assert "PREVIEW360_PROXIES" in trouble


@on_sqlite
def test_a_disk_that_is_nearly_full_is_found(said, keyring):
    free = shutil.disk_usage(keyring.path).free

    assert said(least_room=free // 2) == []
    of_database, of_keyring = said(least_room=free * 2)
    assert "MB are free" in of_database
    assert f"MB are free for {keyring.path}" in of_keyring
