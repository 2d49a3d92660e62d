"""The bell wakes workers through each kind of queue; what is to be done never depends on it."""

import json
import pickle
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from huey import SqliteHuey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import db, jobs
from survey.bell import connected
from survey.models import (
    ImportState,
    Mail,
    MailKind,
    MailState,
    Person,
    Printout,
    PrintState,
    Release,
    Round,
    RoundState,
    Schedule,
)
from survey.services import imports, mails, nominations, printouts, programmes
from survey.services.nominations import Named
from survey.services.programmes import Common, Member
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.launching import launched
from tests.survey.test_jobs import wait_until
from tests.visitor import Visitor
from tests.world import finished

HOUR = 3600


@pytest.fixture
def queue(settings):
    """What anybody sees who can reach the queue."""
    queue = connected(settings.absolute_queue_url())
    yield queue
    queue.storage.close()


@pytest.fixture
def settings(settings, queue_url):
    return settings.model_copy(update={"queue_url": queue_url})


def queue_mails(session: Session, number: int, now=NOW) -> None:
    for each in range(number):
        person = factories.person(session, f"Person{each}")
        mails.queue(session, MailKind.COACH_ACCESS, f"test:{each}", person, "en", now)
    session.commit()


@pytest.fixture
def work(app):
    """A worker that looks by itself once an hour only; what is quicker was rung for."""
    worker = threading.Thread(target=jobs.run, args=(app, HOUR))

    def started():
        worker.start()
        with app.app_context():
            wait_until(looked)

    def looked() -> bool:
        names = db.session().scalars(select(Schedule.name)).all()
        db.session().rollback()
        return "deliver" in names

    yield started
    app.extensions[EXTENSION].stopping.set()
    worker.join()


@on_sqlite
def test_a_mail_that_is_committed_is_sent_at_once(app, catcher, work):
    work()
    with app.app_context():
        queue_mails(db.session(), 3)
    wait_until(lambda: len(catcher.mails) == 3)


@on_sqlite
def test_a_mail_that_is_rolled_back_rings_nobody(app, queue):
    with app.app_context():
        person = factories.person(db.session())
        mails.queue(db.session(), MailKind.COACH_ACCESS, "test", person, "en", NOW)
        db.session().rollback()
        db.session().commit()

    assert queue.pending_count() == 0


@on_sqlite
def test_more_mails_than_are_sent_at_once_are_all_sent_without_a_further_look(
    app, session, catcher, work
):
    queue_mails(session, 2 * jobs.MAILS_AT_ONCE + 1)
    session.close()
    work()
    wait_until(lambda: len(catcher.mails) == 2 * jobs.MAILS_AT_ONCE + 1)


@on_sqlite
def test_more_rounds_than_open_at_once_open_without_a_further_look(
    app, session, catcher, clock, work, monkeypatch
):
    monkeypatch.setattr(jobs, "ROUNDS_AT_ONCE", 1)
    leaders = [factories.person(session, name, "leader") for name in ("Lee", "Sam", "Kit")]
    common = Common("Autumn", NOW + timedelta(hours=1), CLOSES, "new_lead", "en")
    members = [Member(n, leader.email) for n, leader in enumerate(leaders, 1)]
    programme = programmes.make(session, common, members, factories.QUESTIONNAIRE, 3, NOW)
    named = [Named(n, f"Peer{n} Example", f"peer{n}@example.org", "peer") for n in range(3)]
    for each in programmes.progress(session, programme, NOW):
        nominations.name_raters(session, each.round, named, NOW)
    session.commit()
    session.close()
    clock.forward(hours=2)
    work()

    def days_looked_at():
        with app.app_context():
            query = select(Round.enough_on).where(Round.state == RoundState.OPEN)
            return db.session().scalars(query).all()

    wait_until(lambda: days_looked_at() == [NOW.date()] * 3)
    # The next day each is looked at, too.
    clock.forward(days=1)
    jobs.tick(app)

    wait_until(lambda: days_looked_at() == [clock.now.date()] * 3)


class Runs:
    """What a stranger puts into the queue: reading it makes a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@on_sqlite
def test_whoever_can_write_to_the_queue_cannot_run_code_here(queue, tmp_path, work, caplog):
    file = tmp_path / "made"
    usual = SqliteHuey(filename=str(tmp_path / "usual.db"))
    usual.storage.enqueue(pickle.dumps(Runs(file)))
    with pytest.raises(AttributeError):
        usual.dequeue()
    assert file.exists(), "the library's own reader runs it"
    file.unlink()
    usual.storage.close()

    queue.storage.enqueue(pickle.dumps(Runs(file)))
    work()
    wait_until(lambda: "Error reading from queue" in caplog.text)
    wait_until(lambda: queue.pending_count() == 0)
    assert not file.exists()
    # What was read may say anything; a log says only what kind of error it was.
    told = [record for record in caplog.records if record.name == "huey.consumer.Worker"]
    assert [record.exc_info for record in told] == [None] * len(told)
    assert "Error reading from queue: UnicodeDecodeError" in caplog.text


@on_sqlite
def test_a_ring_tells_nobody_about_whom_it_is(app, queue):
    """In the queue stands a random number and the name of a task."""
    with app.app_context():
        queue_mails(db.session(), 1)
    [ring] = queue.storage.enqueued_items()
    number, name = json.loads(bytes(ring))

    assert UUID(number).version == 4
    assert name.rpartition(".")[2] == "deliver"


# --- Under fire ---------------------------------------------------------------------------------

FASTER = 20


@pytest.fixture(scope="module")
def launcher():
    with launched("tests.survey.workers") as order:
        yield order


# Each queue beside the database that it is usually found with.
everywhere = pytest.mark.parametrize(
    ("database", "queue_url"),
    [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("postgresql", "redis")],
    indirect=True,
)


@pytest.fixture
def crowd(launcher, settings):
    """Start workers in processes of their own, whose time goes faster; kill them one by one."""
    begun = datetime.now(UTC)
    shared = {
        "settings": settings.model_dump(mode="json"),
        "begun": begun.isoformat(),
        "faster": FASTER,
        "seconds": 0.1,
    }
    working = []

    class Crowd:
        settings = shared["settings"]

        def start(self, told, number=1):
            order = {"do": "start", "told": told.isoformat(), **shared}
            working.extend(launcher(**order) for _ in range(number))

        def lose(self, deaths, each, done, told):
            """Kill a worker each time that so much more is done, and start another one."""
            for death in range(1, deaths + 1):
                wait_until(lambda so_many=each * death: done() >= so_many)
                launcher(do="SIGKILL", worker=working.pop(0))
                self.start(told)

        def stop(self):
            for worker in working:
                launcher(do="SIGTERM", worker=worker)
            working.clear()

    crowd = Crowd()
    yield crowd
    crowd.stop()


@everywhere
def test_of_mails_whose_workers_are_killed_each_arrives_once_but_for_the_hand_over(
    app, session, clock, catcher, crowd
):
    """A worker that dies while the mail server takes a mail cannot know whether it was taken.

    Such a mail arrives again under the same number, so that mail programs show it once.
    """
    queue_mails(session, 60)
    session.close()
    deaths = 5
    crowd.start(NOW, 3)
    crowd.lose(deaths, 10, lambda: len(catcher.mails), NOW)
    # Only what the dead had taken is left.
    wait_until(lambda: waiting(session) == 0)
    crowd.stop()
    clock.now = NOW + mails.LEASE + timedelta(hours=1)
    jobs.sweep(app)

    assert set(session.scalars(select(Mail.state))) == {MailState.SENT}
    arrived = Counter((mail["To"], mail["Message-ID"]) for mail in catcher.mails)
    assert len(arrived) == 60
    assert sum(arrived.values()) <= 60 + deaths


@everywhere
def test_of_rounds_whose_workers_are_killed_each_closes_once(
    app, session, keyring, clock, catcher, crowd
):
    leaders = [factories.person(session, f"Leader{each}", "leader") for each in range(8)]
    for leader in leaders:
        round_ = factories.opened(session, keyring, leader=leader, roster={"peer": 4})
        factories.all_answer(session, keyring, round_)
    session.close()
    crowd.start(CLOSES, 3)
    crowd.lose(3, 2, lambda: closed(session), CLOSES)
    wait_until(lambda: closed(session) == 8)
    crowd.stop()
    clock.now = CLOSES + mails.LEASE + timedelta(hours=1)
    jobs.sweep(app)

    assert keyring.rounds() == []
    assert session.scalars(select(Round.state)).all() == [RoundState.RELEASED] * 8
    told = Counter(
        (mail["To"], mail["Message-ID"])
        for mail in catcher.mails
        if mail["Subject"] == "Your preview is ready"
    )
    assert len(told) == 8
    assert sum(told.values()) <= 8 + 3


@everywhere
def test_an_import_whose_workers_are_killed_takes_everybody_once(session, crowd):
    rows = "".join(f"Person {n} Example,p{n}@example.org\n" for n in range(2000))
    import_ = imports.begin(session, f"name,email\n{rows}".encode(), NOW)
    session.commit()
    crowd.start(NOW, 2)
    crowd.lose(2, 500, lambda: people_in(session), NOW)
    wait_until(lambda: people_in(session) == 2000)
    crowd.stop()

    session.refresh(import_)
    assert (import_.state, import_.added, import_.changed) == (ImportState.DONE, 2000, 0)


@everywhere
def test_of_previews_whose_workers_are_killed_each_is_printed(
    app, session, keyring, clock, crowd, settings
):
    """A PDF that was being printed is begun again once its worker is taken for dead."""
    for each in range(6):
        leader = factories.person(session, f"Leader{each}", "leader")
        finished(session, keyring, leader, roster={"peer": 4})
    session.close()
    crowd.settings["print_ahead"] = 14
    crowd.start(CLOSES, 2)
    crowd.lose(2, 2, lambda: printed(session), CLOSES)
    crowd.stop()
    site = app.extensions[EXTENSION]
    site.settings = settings.model_copy(update={"print_ahead": 14})
    clock.now = CLOSES + printouts.LEASE + timedelta(hours=1)
    for _ in range(6):
        jobs.sweep(app)

    pdfs = session.scalars(select(Printout.pdf)).all()
    assert len(pdfs) == 6
    assert all(pdf.startswith(b"%PDF-") for pdf in pdfs)


def printed(session: Session) -> int:
    return counted(session, select(func.count()).where(Printout.state == PrintState.DONE))


def people_in(session: Session) -> int:
    return counted(session, select(func.count()).select_from(Person))


def waiting(session: Session) -> int:
    return counted(session, select(func.count()).where(Mail.state == MailState.WAITING))


def closed(session: Session) -> int:
    return counted(session, select(func.count()).select_from(Release))


def counted(session: Session, query) -> int:
    number: int = session.scalars(query).one()
    session.rollback()
    return number


@on_sqlite
@pytest.mark.parametrize("queue_url", ["redis://127.0.0.1:1/0", "postgresql://127.0.0.1:1/none"])
def test_without_a_queue_pages_answer_and_mails_wait_for_the_next_look(
    app, session, catcher, caplog
):
    factories.person(session, "Robin", "leader")
    session.commit()
    session.close()
    visitor = Visitor(app)
    visitor.open("/sign-in")
    visitor.send({"email": "robin@example.org"})
    assert visitor.status == 200
    assert "nobody was called to deliver" in caplog.text
    jobs.tick(app)

    assert [mail["To"] for mail in catcher.mails] == ["robin@example.org"]
