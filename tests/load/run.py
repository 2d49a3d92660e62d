"""Fills installations, starts their servers, drives them, and gathers what was found."""

from __future__ import annotations

import http.client
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import flask_migrate
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import create_app, db, jobs, mail, moving
from survey.clock import utc_now
from survey.config import Settings
from survey.demo.catcher import Catcher, free_port
from survey.models import Ballot, Person, Programme, Release, Round, RoundState
from survey.services import ballots, nominations, rounds
from survey.services.nominations import Named
from survey.site import EXTENSION, Site
from tests import factories
from tests.conftest import installation
from tests.launching import GUNICORN, PROGRAM, environment, launched, running
from tests.load.driver import answer
from tests.load.filling import RATERS, fill
from tests.postgres import Cluster

AT_ONCE, TURNS, VISITS, EACH = 8, 3, 40, 11
# Unlike in the tests, what is committed has to be on the disk.
SAFE = "fsync = on\nautovacuum = on\n"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
EMBEDDED = "Embedded: one process, SQLite"
PRODUCTION = "Production: two gunicorn workers, one worker, PostgreSQL"
OPENING, SENDING, CLOSING = "Opening a round", "Sending a mail, CPU", "Closing a round"
Order = Callable[..., dict[str, Any]]


@dataclass
class Load:
    """What one set-up did with so many rounds stored; times in milliseconds."""

    journeys: int = 0
    seconds: float = 0
    cpu_seconds: float = 0
    memory_mb: float = 0
    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    pages: dict[str, float] = field(default_factory=dict)
    work: dict[str, list[float]] = field(default_factory=dict)
    daily_seconds: float = 0
    stored_mb: float = 0

    @property
    def requests(self) -> int:
        """Return how many requests the journeys were."""
        return sum(map(len, self.times.values()))

    def median(self, work: str) -> float:
        """Return the usual time of a piece of work; the first one reads what all others need."""
        return statistics.median(self.work[work][1:])

    def percentile(self, share: float) -> float:
        """Return the time within which this share of all requests was answered."""
        every = sorted(each for times in self.times.values() for each in times)
        return every[min(int(len(every) * share), len(every) - 1)]


@dataclass
class Stage:
    """One installation that is being measured."""

    settings: Settings
    app: Flask
    load: Load
    links: list[str] = field(default_factory=list)
    rounds: list[UUID] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """The installation as the program sees it."""
        site: Site = self.app.extensions[EXTENSION]
        return site


Found = dict[str, dict[int, Load]]


def measure(folder: Path, sizes: list[int], journeys: int) -> Found:
    """Return what each set-up did at each size."""
    filled = {size: _filled(folder / f"filled-{size}", size) for size in sizes}
    found: Found = {}
    for name, started in {EMBEDDED: _embedded, PRODUCTION: _production}.items():
        with ExitStack() as stack, launched("tests.load.driver") as order:
            mail_url = stack.enter_context(_catching())
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix="preview360-load-")))
            stages = {
                size: stack.enter_context(started(scratch / f"{size}", filled[size], mail_url))
                for size in sizes
            }
            _prepare(stages, journeys)
            with ExitStack() as servers:
                for stage in stages.values():
                    servers.enter_context(_serving(stage))
                _drive(order, stages)
                _visit(order, stages)
            for stage in stages.values():
                _look_for_answers(stage)
            _work(stages)
            found[name] = {size: stage.load for size, stage in stages.items()}
    return found


def _filled(folder: Path, size: int) -> Path:
    """Return the folder of a filled installation, which is filled unless it is there."""
    if not folder.exists():
        half = folder.with_name(f"half-{folder.name}")
        half.mkdir(parents=True)
        app = create_app(installation(half))
        with app.app_context():
            flask_migrate.upgrade()
            fill(db.session(), app.extensions[EXTENSION].keyring, size, utc_now())
            db.db.engine.dispose()
        half.rename(folder)
    return folder


@contextmanager
def _embedded(folder: Path, filled: Path, mail_url: str) -> Iterator[Stage]:
    """One process with a SQLite file."""
    shutil.copytree(filled, folder)
    with _stage(installation(folder, mail_url=mail_url, base_url=_free_url())) as stage:
        yield stage


@contextmanager
def _production(folder: Path, filled: Path, mail_url: str) -> Iterator[Stage]:
    """The same rows on a PostgreSQL server, which gunicorn and a worker use."""
    shutil.copytree(filled, folder)
    cluster = Cluster(SAFE)
    cluster.start()
    try:
        url, queue = cluster.create("preview360"), cluster.create("queue")
        source = create_app(installation(folder))
        settings = installation(
            folder, database_url=url, queue_url=queue, mail_url=mail_url, base_url=_free_url()
        )
        with db.engine(source) as one, db.engine(create_app(settings), upgraded=True) as other:
            moving.copy(one, other)
        with _stage(settings) as stage:
            postmaster = (cluster.data / "postmaster.pid").read_text().split()[0]
            stage.roots.append(int(postmaster))
            yield stage
    finally:
        cluster.stop()


@contextmanager
def _catching() -> Iterator[str]:
    catcher = Catcher()
    catcher.start()
    yield f"smtp://127.0.0.1:{catcher.port}"
    catcher.stop()


def _free_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@contextmanager
def _stage(settings: Settings) -> Iterator[Stage]:
    app = create_app(settings)
    stage = Stage(settings, app, Load())
    stage.load.stored_mb = _stored_mb(app, settings)
    yield stage
    stage.site.bell.close()
    with app.app_context():
        db.db.engine.dispose()


def _stored_mb(app: Flask, settings: Settings) -> float:
    if file := settings.database_file():
        return file.stat().st_size / 1e6
    with app.app_context():
        size = db.session().scalar(select(func.pg_database_size(func.current_database())))
        db.session().rollback()
    return int(size or 0) / 1e6


def _prepare(stages: Mapping[int, Stage], journeys: int) -> None:
    """Choose who answers: all raters of some rounds."""
    for stage in stages.values():
        with stage.app.app_context():
            session = db.session()
            query = (
                select(Round)
                .where(Round.state == RoundState.OPEN)
                .order_by(Round.place)
                # The first round is Robin's, whose pages are looked at.
                .offset(1)
                .limit(max(-(-journeys // len(RATERS)), EACH + 1))
            )
            for round_ in session.scalars(query).all():
                links = factories.links(session, stage.site.keyring, round_)
                own = round_.leader.email.split("@")[0]
                stage.links += [f"/r/{link}" for name, link in links.items() if name != own]
                stage.rounds.append(round_.id)
            session.rollback()


@contextmanager
def _serving(stage: Stage) -> Iterator[None]:
    port = int(stage.settings.base_url.rpartition(":")[2])
    told = environment(stage.settings, WEB_CONCURRENCY="2")
    with ExitStack() as stack:
        if stage.settings.database_file():
            server: list[str | Path] = [PROGRAM, "serve", "--port", str(port)]
        else:
            server = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]
            worker = stack.enter_context(_beside([PROGRAM, "work"], told))
            stage.roots.append(worker)
        process = stack.enter_context(running(server, port, env=told))
        stage.roots.append(process.pid)
        _wait_until_ready(port)
        stage.load.daily_seconds = _wait_until_quiet(stage.roots)
        yield


@contextmanager
def _beside(command: list[str | Path], told: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=told)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_ready(port: int) -> None:
    for _ in range(300):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.request("GET", "/ready")
        status = line.getresponse().status
        line.close()
        if status == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the server is not ready")


def _wait_until_quiet(roots: list[int]) -> float:
    """Let the daily work be done that comes first, and return the seconds of CPU it took."""
    began = before = _cpu_seconds(roots)
    while True:
        time.sleep(3)
        after = _cpu_seconds(roots)
        if after - before < 0.15:
            return after - began
        before = after


def _drive(order: Order, stages: Mapping[int, Stage]) -> None:
    """Let raters answer, in turns, so that all sizes meet the same machine."""
    for turn in range(TURNS + 1):
        for stage in stages.values():
            # The first few only warm it up; their answers are looked for, too.
            few = AT_ONCE
            rest = stage.links[few:]
            each = -(-len(rest) // TURNS)
            links = rest[(turn - 1) * each : turn * each] if turn else stage.links[:few]
            before = _cpu_seconds(stage.roots)
            told = order(do="journeys", url=stage.settings.base_url, links=links, at_once=AT_ONCE)
            stage.load.errors += told["errors"]
            if turn:
                stage.load.cpu_seconds += _cpu_seconds(stage.roots) - before
                stage.load.seconds += told["seconds"]
                stage.load.journeys += len(links)
                for kind, times in told["times"].items():
                    stage.load.times.setdefault(kind, []).extend(times)
            stage.load.memory_mb = max(stage.load.memory_mb, _memory_mb(stage.roots))


def _visit(order: Order, stages: Mapping[int, Stage]) -> None:
    """Open every page of each installation in turns, nobody else being there."""
    visits = [
        [f"{size} {name}", stage.settings.base_url, cookie, path]
        for size, stage in stages.items()
        for name, (cookie, path) in _pages(stage).items()
    ]
    # Page by page, all sizes beside one another.
    visits.sort(key=lambda visit: visit[0].partition(" ")[2])
    order(do="visits", pages=visits, times=3)
    told = order(do="visits", pages=visits, times=VISITS)
    for named, times in told["times"].items():
        size, _, name = named.partition(" ")
        stages[int(size)].load.pages[name] = statistics.median(times)
    for stage in stages.values():
        stage.load.errors += told["errors"]


def _pages(stage: Stage) -> dict[str, tuple[str, str]]:
    """Return every page that somebody opens, with the cookie of who does."""
    with stage.app.app_context():
        session = db.session()
        people = {
            name: session.scalars(select(Person).where(Person.email == f"{name}@example.org")).one()
            for name in ("robin", "casey", "andy")
        }
        robin, casey, andy = (_cookie(stage.app, person) for person in people.values())
        programmes = dict(session.execute(select(Programme.name, Programme.id)).all())
        mine = select(Round.id).where(Round.leader_id == people["robin"].id)
        collects, ended = (
            session.scalars(mine.where(Round.state == state).limit(1)).one()
            for state in (RoundState.OPEN, RoundState.RELEASED)
        )
        link = _begun(session, stage, collects)
        pages = {
            "sign-in": ("", "/sign-in"),
            "rater: welcome": ("", link),
            "rater: part": ("", f"{link}/part/2"),
            "rater: check": ("", f"{link}/check"),
            "leader: rounds": (robin, "/rounds"),
            "leader: new round": (robin, "/rounds/new"),
            "leader: round that collects": (robin, f"/rounds/{collects}"),
            "leader: round that ended": (robin, f"/rounds/{ended}"),
            "preview": (robin, f"/previews/{ended}"),
            "coach: shelf": (casey, "/shelf"),
            "people": (andy, "/administration/people"),
            "people: one": (andy, f"/administration/people/{people['robin'].id}"),
            "people: erase one": (andy, f"/administration/people/{people['robin'].id}/erase"),
            "rounds": (andy, "/administration/rounds"),
            "delivery": (andy, "/administration/delivery"),
            "audit list": (andy, "/administration/audit"),
            "retention": (andy, "/administration/retention"),
            "questionnaires": (andy, "/administration/questionnaires"),
            "team report: new": (andy, "/teams/new"),
            "programmes": (andy, "/administration/programmes"),
            "programme that collects": (
                andy, f"/administration/programmes/{programmes['This year']}",
            ),
            "programme that ended": (
                andy, f"/administration/programmes/{programmes['Last year']}",
            ),
        }  # fmt: skip
        session.rollback()
    return pages


def _begun(session: Session, stage: Stage, round_id: UUID) -> str:
    """Return the link of a rater who has begun to answer."""
    round_ = session.get_one(Round, round_id)
    links = factories.links(session, stage.site.keyring, round_)
    link = next(link for name, link in links.items() if name != "robin")
    ballots.start(session, ballots.rater(session, stage.site.keyring, link, utc_now()))
    session.commit()
    return f"/r/{link}"


def _cookie(app: Flask, person: Person) -> str:
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    since = int(utc_now().timestamp())
    told = signer.dumps({"person": str(person.id), "key": person.session_key, "since": since})
    return f"{app.config['SESSION_COOKIE_NAME']}={told}"


def _look_for_answers(stage: Stage) -> None:
    """Count who has answered and whose answers are not stored just so."""
    keyring = stage.site.keyring
    with stage.app.app_context():
        session = db.session()
        for link in stage.links:
            rater = ballots.rater(session, keyring, link.removeprefix("/r/"), utc_now())
            ballot = session.get(Ballot, (rater.round.id, rater.values.handle))
            opener = factories.opener(keyring, rater.round.id)
            given = opener.open(ballot.sealed).answers if ballot else None
            items = rater.questionnaire.items_at(rater.round.level)
            wanted = {item.id: answer(link, item.id) for item in items}
            stage.load.lost += given is None or dict(given.items) != wanted
        session.rollback()


def _work(stages: Mapping[int, Stage]) -> None:
    """Open and close rounds of each installation in turns, and send mails, as its worker would."""
    # Kind by kind, so that none pays for what another leaves in SQLite's log.
    for name, step in {OPENING: _open, SENDING: _send, CLOSING: _close}.items():
        for number in range(EACH + 1):
            for stage in stages.values():
                with stage.app.app_context():
                    stage.load.work.setdefault(name, []).append(step(stage, number))


def _open(stage: Stage, number: int) -> float:
    session, now = db.session(), utc_now()
    leader = factories.person(session, f"Lately{number}", "leader", now=now)
    round_ = factories.prepared(session, leader, now=now)
    # Nobody is mailed by several rounds at once.
    named = [
        Named(n, f"Rater {n}", f"rater{number}-{n}@example.org", relationship)
        for n, relationship in enumerate(RATERS, 1)
    ]
    nominations.name_raters(session, round_, named, now)
    session.commit()
    began = time.perf_counter()
    rounds.open_round(session, stage.site.keyring, round_, now)
    session.commit()
    return (time.perf_counter() - began) * 1000


def _send(stage: Stage, _number: int) -> float:
    # Its own seconds: the mail server is in this process, too.
    began = time.thread_time()
    sent = mail.deliver(stage.site, db.session(), len(RATERS))
    assert sent == len(RATERS)
    return (time.thread_time() - began) * 1000 / sent


def _close(stage: Stage, number: int) -> float:
    session, round_id = db.session(), stage.rounds[number]
    session.get_one(Round, round_id).closes_at = utc_now() - timedelta(seconds=1)
    session.commit()
    began = time.perf_counter()
    jobs.close(stage.site, session, round_id)
    jobs.clean_up(stage.site)
    took = (time.perf_counter() - began) * 1000
    assert session.get(Release, round_id)
    session.rollback()
    return took


def _cpu_seconds(roots: list[int]) -> float:
    """Return what these processes and all they have started have used."""
    used = 0
    for pid in _family(roots):
        numbers = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        # Fields 14 to 17 of proc(5): its own time, and that of children that have ended.
        used += sum(int(number) for number in numbers[11:15])
    return used / CLOCK_TICKS


def _memory_mb(roots: list[int]) -> float:
    """Return what they hold, each shared page counted once."""
    held = 0
    for pid in _family(roots):
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
        held += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held / 1024


def _family(roots: list[int]) -> set[int]:
    found, waiting = set(), list(roots)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += map(int, task.read_text().split())
    return found


def _read(file: str) -> str:
    try:
        return Path(file).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ") " + "0 " * 20
