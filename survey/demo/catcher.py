"""Catches mails instead of delivering them, and shows them as pages."""

from __future__ import annotations

import re
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from flask import Flask, abort, render_template
from markupsafe import Markup, escape

from survey import TEMPLATES

LINK = re.compile(r"https?://[^\s<>\"]+")


class Catcher:
    """A mail server on this machine that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Begin to listen on `port`."""
        self.controller.start()

    def stop(self) -> None:
        """End listening."""
        self.controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a mail."""
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 kept"

    def text_to(self, address: str, containing: str = "") -> str:
        """Return the text of the latest mail to an address that holds some words."""
        for mail in reversed(self.mails):
            text = plain_text(mail)
            if address in mail["To"] and containing in text:
                return text
        raise LookupError(f"no mail to {address} holds {containing!r}")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def plain_text(mail: EmailMessage) -> str:
    """Return a mail's plain part."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def mail_pages(catcher: Catcher) -> Flask:
    """Return an application of its own that shows the caught mails; for demonstrations only."""
    app = Flask("mails", template_folder=str(TEMPLATES), static_folder=None)

    @app.get("/")
    def everything() -> str:
        """List all mails, latest first."""
        mails = list(reversed(list(enumerate(catcher.mails))))
        return render_template("demo/mails.html", mails=mails)

    @app.get("/<int:number>")
    def one(number: int) -> str:
        """Show one mail as plain text, its links to press."""
        if number >= len(catcher.mails):
            abort(404)
        mail = catcher.mails[number]
        text = LINK.sub(
            lambda link: f'<a href="{link[0]}">{link[0]}</a>', str(escape(plain_text(mail)))
        )
        return render_template("demo/mail.html", mail=mail, text=Markup(text))  # noqa: S704 - escaped

    return app
