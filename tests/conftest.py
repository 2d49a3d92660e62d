"""A real installation for each test: its own database, keyring, mail server and clock."""

from __future__ import annotations

import http.server
import itertools
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy.orm import Session

from questionnaires import loader
from questionnaires.definition import Questionnaire
from survey import create_app, db, jobs
from survey.config import Settings
from survey.demo.catcher import Catcher
from survey.keyring import Keyring
from survey.server import Server
from survey.site import EXTENSION
from tests.attacks.report import (
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.launching import answering
from tests.postgres import Cluster
from tests.redis import RedisServer

# Hooks of the attacks; they have to stand where each process of a run finds them.
__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CLOSES = datetime(2026, 11, 17, 0, 0, tzinfo=UTC)
PHONE = {"width": 390, "height": 844}


@dataclass
class SetClock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture(scope="session")
def questionnaire() -> Questionnaire:
    return loader.builtin("technical_leader")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for the tests that ask for one."""
    cluster = Cluster()
    cluster.start()
    yield cluster
    cluster.stop()


class Databases:
    """Makes databases after all migrations: migrated once of each kind, then copied."""

    def __init__(self, folder: Path, start_cluster: Callable[[], Cluster]) -> None:
        self.folder, self.cluster = folder, start_cluster
        self.numbers = itertools.count(1)
        self.models: dict[str, str] = {}

    def make(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database; a SQLite file lies in the folder."""
        if kind not in self.models:
            self.models[kind] = self._model(kind)
        return self.copy(self.models[kind], folder)

    def copy(self, url: str, folder: Path) -> str:
        """Return the URL of a copy of a database that nobody uses."""
        if url.startswith("postgresql"):
            template = url.rpartition("/")[2]
            return self.cluster().create(f"test{next(self.numbers)}", template)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in Path(url.removeprefix("sqlite:///")).parent.glob("preview360.db*"):
            shutil.copy(file, folder)
        return f"sqlite:///{folder}/preview360.db"

    def drop(self, url: str) -> None:
        """Remove a database that takes room elsewhere than in a test's folder."""
        if url.startswith("postgresql"):
            self.cluster().drop(url.rpartition("/")[2])

    def _model(self, kind: str) -> str:
        usual = f"sqlite:///{self.folder}/data/preview360.db"
        url = self.cluster().create("model") if kind == "postgresql" else usual
        app = create_app(installation(self.folder, database_url=url))
        with app.app_context():
            flask_migrate.upgrade()
            db.db.engine.dispose()
        return url


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, request) -> Databases:
    return Databases(tmp_path_factory.mktemp("empty"), lambda: request.getfixturevalue("cluster"))


METRICS_KEY = "what-only-prometheus-has"


def installation(folder: Path, **settings) -> Settings:
    usual: dict[str, Any] = {
        "organisation": "Example Works",
        "contact": "people@example.org",
        "database_url": f"sqlite:///{folder}/data/preview360.db",
        "queue_url": f"sqlite:///{folder}/data/queue.db",
        "keyring": folder / "keyring",
        "mail_from": "Example Works <feedback@example.org>",
        "base_url": "http://localhost",
        "metrics_key": METRICS_KEY,
        # Printing takes a second; what is about it asks for it.
        "print_ahead": 0,
    }
    return Settings(**usual | settings)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A mail server that keeps what it is given."""
    catcher = Catcher()
    catcher.start()
    yield catcher
    catcher.stop()


# For what is about SQLite's own files, or about nothing that is stored.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: either, unless a test says `on_sqlite`."""
    kind: str = request.param
    return kind


class Sink:
    """A server elsewhere that notes who asks it for what, and from which page."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.referrers: list[str] = []
        sink = self

        class Noting(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sink.paths.append(self.path)
                sink.referrers.append(self.headers.get("Referer", ""))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def forget(self) -> None:
        """Begin anew."""
        self.paths.clear()
        self.referrers.clear()

    def stop(self) -> None:
        """End listening."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture
def settings(
    tmp_path: Path, catcher: Catcher, databases: Databases, database: str
) -> Iterator[Settings]:
    url = databases.make(database, tmp_path / "data")
    mail_url = f"smtp://127.0.0.1:{catcher.port}"
    yield installation(tmp_path, database_url=url, mail_url=mail_url, mail_timeout=2)
    databases.drop(url)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def queue_url(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases
) -> Iterator[str]:
    """A queue of its own in each store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/queue.db"
    elif request.param == "postgresql":
        url = request.getfixturevalue("cluster").create(f"queue{uuid4().hex}")
        yield url
        databases.drop(url)
    else:
        server = request.getfixturevalue("redis")
        yield server.url
        server.client().flushall()


@pytest.fixture
def stored(settings: Settings, request: pytest.FixtureRequest) -> Callable[[], bytes]:
    """Return all that the database holds: its files, or what its server dumps."""
    file = settings.database_file()
    if file is None:
        cluster: Cluster = request.getfixturevalue("cluster")
        return lambda: cluster.dump(settings.database_url).encode()
    return lambda: b"".join(each.read_bytes() for each in file.parent.iterdir())


@pytest.fixture
def app(settings: Settings, clock: SetClock) -> Iterator[Flask]:
    app = create_app(settings, clock=clock, config={"TESTING": True, "RATELIMIT_ENABLED": False})
    yield app
    app.extensions[EXTENSION].printer.close()
    app.extensions[EXTENSION].bell.close()
    with app.app_context():
        db.db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session of the test's own; requests have theirs. Commit to let others see."""
    with app.app_context():
        engine = db.db.engine
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def app_context(app: Flask) -> Iterator[None]:
    """The application's context, as a command or a job has it; not to be mixed with requests."""
    with app.app_context():
        yield


@pytest.fixture
def keyring(app: Flask) -> Keyring:
    keyring: Keyring = app.extensions[EXTENSION].keyring
    return keyring


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a screen; cookies are its own."""
    return app.test_client()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the system's Chromium where there is one, else Playwright's own."""
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    chromium = shutil.which("chromium")
    own = {"executable_path": chromium} if chromium else {}
    return {**browser_type_launch_args, "args": flags, **own}


@pytest.fixture
def served(app: Flask, settings: Settings) -> Iterator[str]:
    """The application on a real port, answered by the server that `preview360 serve` uses."""
    server = Server(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.extensions[EXTENSION].settings = settings.model_copy(update={"base_url": url})
    with answering(server):
        yield url


@pytest.fixture
def somebody(browser: Browser, served: str) -> Iterator[Callable[..., Page]]:
    """Open a browser of one's own."""
    contexts: list[BrowserContext] = []

    def opened(**more: Any) -> Page:
        usual: dict[str, Any] = {"base_url": served, "accept_downloads": True}
        contexts.append(browser.new_context(**usual | more))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(app: Flask, catcher: Catcher, somebody) -> Callable[[str], Page]:
    """Sign somebody in, in a browser of their own, with the code from the mail."""

    def signed_in(name: str) -> Page:
        page: Page = somebody()
        page.goto("/sign-in")
        page.get_by_label("Your mail address").fill(f"{name}@example.org")
        page.get_by_role("button", name="Mail me a code").click()
        jobs.sweep(app)
        code = re.search(r"^\s+(\d{6})$", catcher.text_to(f"{name}@example.org"), re.MULTILINE)
        assert code is not None
        page.get_by_label("Code from the mail").fill(code[1])
        page.get_by_role("button", name="Sign in").click()
        return page

    return signed_in
