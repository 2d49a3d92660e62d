"""The twin on the web: a survey application as it is often written in an afternoon.

Nothing here is far-fetched; each line is how tutorials do it.
"""

from __future__ import annotations

import logging
import time
from email.message import EmailMessage
from typing import Any

from flask import Flask, Response, redirect, request, session, url_for
from prometheus_client import CollectorRegistry, Counter, generate_latest

log = logging.getLogger("usual")

FORM = """<meta name="referrer" content="no-referrer-when-downgrade">
<link rel="stylesheet" href="{style}"><form action="{action}" method="get">
<textarea name="words">{words}</textarea><button>Save</button></form>
<form action="{send}" method="post"><button>Send</button></form>
<p>Read more <a href="{more}">elsewhere</a>.</p>"""


class Usual:
    """The application's memory: links that count up, answers, and the mails it would send."""

    def __init__(self, elsewhere: str = "http://elsewhere.example.org") -> None:
        self.elsewhere = elsewhere
        self.links = {str(number): f"rater{number}" for number in range(1, 6)}
        self.opened: list[str] = []
        self.answers: list[tuple[str, str]] = []
        self.closed: set[str] = set()
        self.drafts: dict[str, str] = {}
        self.codes = {"robin@example.org": "123456"}
        self.tries = 0
        self.asked_for_codes = 0
        self.mails: list[EmailMessage] = []
        self.previews = {"1": "robin", "2": "sam"}
        self.broken = False


def usual_app(memory: Usual) -> Flask:  # noqa: C901 - a page a function, nothing more
    """Make the application."""
    app = Flask("usual")
    app.secret_key = "usual"

    @app.get("/r/<token>")
    def rater(token: str) -> Any:
        if token in memory.closed:
            return "This survey has closed. Thank you for taking part!", 410
        if token not in memory.links:
            return "No such survey.", 404
        memory.opened.append(token)
        words = dict(memory.answers).get(token, memory.drafts.get(token, ""))
        page = {"action": url_for("save", token=token), "send": url_for("send", token=token)}
        style = f"{memory.elsewhere}/style.css"
        return FORM.format(words=words, style=style, more=f"{memory.elsewhere}/more", **page)

    @app.get("/r/<token>/save")
    def save(token: str) -> Any:
        words = request.args.get("words", "")
        if memory.broken:
            raise RuntimeError(f"INSERT INTO draft VALUES ({token!r}, {words!r}) failed")
        session["draft"] = memory.drafts[token] = words
        return redirect(url_for("rater", token=token))

    @app.post("/r/<token>/send")
    def send(token: str) -> Any:
        if token not in dict(memory.answers):
            time.sleep(0.5)  # a busy database takes its time
            memory.answers.append((token, memory.drafts.get(token, "")))
        return "Thank you!"

    @app.post("/sign-in")
    def sign_in() -> Any:
        address = request.form["email"]
        if address not in memory.codes:
            return "Nobody here has this address."
        memory.asked_for_codes += 1
        if memory.asked_for_codes > 20:
            return "Too many attempts. Try again tomorrow.", 429
        mail = EmailMessage()
        mail["To"] = address
        mail.set_content(f"Sign in: {url_for('sign_in', _external=True)}")
        memory.mails.append(mail)
        return "We sent you a code."

    @app.post("/sign-in/code")
    def code() -> Any:
        tries = memory.tries
        time.sleep(0.3)  # so does a hash of the code
        if tries >= 5:
            return "Too many tries.", 403
        memory.tries = tries + 1
        if memory.codes[request.form["email"]] == request.form["code"]:
            session["person"] = request.form["email"].partition("@")[0]
            return "Welcome."
        return "Wrong code.", 422

    @app.post("/sign-out")
    def sign_out() -> Any:
        session.clear()
        return "Goodbye."

    @app.get("/previews/<number>")
    def preview(number: str) -> Any:
        if "person" not in session:
            return redirect("/sign-in")
        return f"Preview of {memory.previews[number]}, answers: {memory.answers}"

    @app.get("/progress")
    def progress() -> Any:
        return f"{len(memory.answers)} of {len(memory.links)} have answered"

    registry = CollectorRegistry()
    requests = Counter(
        "requests", "Requests by page and status.", ["page", "status"], registry=registry
    )

    @app.after_request
    def count(response: Response) -> Response:
        requests.labels(request.endpoint, response.status_code).inc()
        return response

    @app.get("/metrics")
    def metrics() -> Any:
        return Response(generate_latest(registry), mimetype="text/plain")

    @app.errorhandler(RuntimeError)
    def failed(error: RuntimeError) -> Any:
        log.error("%s failed", request.full_path, exc_info=error)
        return "Sorry.", 500

    return app
