"""Plays the story: ask, answer, close, read.

Everything that people do goes through the real pages of a real server, by the
links and codes in the mails that it sent. Only the clock is ours: the first
round opens a fortnight ago, so that it can close today.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from questionnaires.definition import Questionnaire
from survey import create_app, db, jobs
from survey.clock import utc_now
from survey.config import Settings
from survey.demo import parts
from survey.demo.browser import Browser
from survey.demo.catcher import Catcher, mail_pages
from survey.demo.story import Story, StoryRater, StoryRound, story
from survey.errors import Refused, marked
from survey.server import PortTaken, Server
from survey.services import people, questionnaires
from survey.site import site

FORTNIGHT = timedelta(days=14)
CODE = re.compile(r"^\s+(\d{6})$", re.MULTILINE)
LINK = re.compile(r"http://\S+/r/\S+")
OURS = ("data", "keyring", "preview.pdf")
"""What the demonstration makes in its folder, and deletes when it starts anew."""
MARK = ".preview360-demo"
"""Says that a folder is the demonstration's own."""


class FolderTaken(Refused):
    """A folder that holds somebody's files: nothing in it is deleted."""

    message = marked("%(folder)s holds other files. Choose a folder that is empty or new.")


def _clear(folder: Path) -> None:
    """Delete what an earlier demonstration left. Raises FolderTaken."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARK).exists() and any(folder.iterdir()):
        raise FolderTaken(folder=folder)
    (folder / MARK).touch()
    for name in OURS:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@dataclass
class ShiftedClock:
    """The machine's clock, some time ago."""

    behind: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """Return the moment."""
        return utc_now() - self.behind


class Stage:
    """A server with its mail catcher, and a clock that can be moved."""

    def __init__(self, folder: Path, port: int, told: Callable[[str], None]) -> None:
        self.folder, self.told = folder, told
        self.story: Story = story()
        self.clock = ShiftedClock()
        self.catcher = Catcher()
        _clear(folder)
        self.server, self.app = self._listen(port)

    def _listen(self, port: int) -> tuple[Server, Flask]:
        """Listen on the port, or on a free one if it is taken, and make the application for it."""
        later: dict[str, Any] = {}

        def answer(environ: Any, start_response: Any) -> Any:
            return later["app"](environ, start_response)

        try:
            server = Server(answer, "127.0.0.1", port)
        except PortTaken:
            server = Server(answer, "127.0.0.1", 0)
        self.catcher.start()
        # Whoever looks around signs in as everybody, again and again.
        freely = {"RATELIMIT_ENABLED": False}
        app = create_app(self._settings(server.port), clock=self.clock, config=freely)
        app.register_blueprint(parts.bp)
        later["app"] = DispatcherMiddleware(app, {"/mails": mail_pages(self.catcher)})
        return server, app

    def _settings(self, port: int) -> Settings:
        return Settings(
            organisation=self.story.organisation,
            contact="people@example.org",
            base_url=f"http://127.0.0.1:{port}",
            database_url=f"sqlite:///{self.folder.absolute()}/data/preview360.db",
            keyring=self.folder.absolute() / "keyring",
            mail_url=f"smtp://127.0.0.1:{self.catcher.port}",
            mail_from=f"{self.story.organisation} <feedback@example.org>",
            # Whatever the environment sets for a real installation is not for this one.
            mail_timeout=20,
            k=3,
            language="en",
            time_zone="UTC",
            proxies=0,
        )

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.server.port}"

    def prepare(self) -> None:
        """Make the database, add the people and begin to answer requests."""
        with self.app.app_context():
            flask_migrate.upgrade()
            session, now = db.session(), site().now()
            for someone, role in (
                (self.story.administrator, "administrator"),
                (self.story.coach, "coach"),
                *((round_.leader, "leader") for round_ in self.story.rounds),
            ):
                people.add(session, someone.name, someone.email, [role], now)
            session.commit()
        threading.Thread(target=self.server.run, name="server", daemon=True).start()

    def sweep(self) -> None:
        """Do what is due: send mails, close rounds."""
        jobs.sweep(self.app)

    def sign_in(self, address: str) -> Browser:
        """Sign in with the code from the mail."""
        browser = Browser()
        browser.open(f"{self.url}/sign-in")
        browser.send({"email": address})
        self.sweep()
        code = CODE.search(self.catcher.text_to(address, "your code"))
        if code is None:
            raise LookupError(f"no code in the mail to {address}")
        browser.send({"code": code[1]})
        return browser

    def ask(self, round_: StoryRound) -> Browser:
        """Prepare a round as its leader, name its raters and send the invitations."""
        browser = self.sign_in(round_.leader.email)
        browser.open("/rounds/new")
        browser.send(
            {
                "level": round_.level,
                "language": "en",
                "message": round_.message,
                "last_day": (self.clock() + FORTNIGHT - timedelta(days=1)).date().isoformat(),
            }
        )
        browser.send(_named(round_))
        browser.send()
        self.sweep()
        return browser

    def answer(self, round_: StoryRound, rater: StoryRater, questionnaire: Questionnaire) -> None:
        """Answer as a rater, by the link in their mail."""
        link = LINK.search(self.catcher.text_to(rater.email, "/r/"))
        if link is None:
            raise LookupError(f"no link in the mail to {rater.email}")
        browser = Browser()
        browser.open(link[0])
        browser.send(action="/start")
        answers: dict[str, str] = rater.raw_answers(questionnaire, round_.level)
        if rater.identified is not None:
            answers["shown"] = "identified" if rater.identified else "together"
        for prompt, fields in rater.words.items():
            answers |= {f"{prompt}-{n}": text for n, text in enumerate(fields, start=1)}
        while "/part/" in browser.address:
            browser.send(answers)
        browser.send()

    def stop(self) -> None:
        """End the server and the catcher."""
        self.server.stop()
        self.catcher.stop()


def _named(round_: StoryRound) -> dict[str, str]:
    """Return the raters as a leader types them, a person a line."""
    lines: dict[str, list[str]] = {}
    for rater in round_.raters:
        lines.setdefault(rater.relationship, []).append(f"{rater.name} <{rater.email}>")
    return {relationship: "\n".join(names) for relationship, names in lines.items()}


def play(stage: Stage) -> Path:
    """Play the first round from the question to the PDF, open a second; return the PDF's path."""
    first, second = stage.story.rounds
    tell = stage.told
    stage.clock.behind = FORTNIGHT
    stage.prepare()
    tell(f"{first.leader.name} names {len(first.raters) - 1} raters and sends the invitations.")
    stage.ask(first)
    with stage.app.app_context():
        questionnaire = questionnaires.shipped("technical_leader")
    for number, rater in enumerate(first.raters, start=1):
        stage.answer(first, rater, questionnaire)
        tell(
            f"{rater.name} has answered by the link in the mail ({number} of {len(first.raters)})."
        )
    stage.clock.behind = timedelta()
    tell("A fortnight later the closing day has passed: the ballots are opened together.")
    stage.sweep()
    leader = stage.sign_in(first.leader.email)
    leader.open("/rounds")
    pdf = stage.folder / "preview.pdf"
    leader.open(_preview_in(leader))
    pdf.write_bytes(leader.content)
    leader.open("/rounds")
    leader.send(action="/rounds/coaches")
    tell(f"{first.leader.name} has downloaded the preview, and lets a coach read it.")
    stage.ask(second)
    return pdf


def _preview_in(browser: Browser) -> str:
    found = re.search(r'href="(/previews/[^"]+/preview\.pdf)"', browser.content.decode())
    if found is None:
        raise LookupError("the closed round shows no preview")
    return found[1]
