"""Hands mails to a mail server, or to a folder while developing."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

PERMANENT = 500
CLOSING_DOWN = 421


class MailTrouble(Exception):
    """A mail was not taken; `final` if trying again cannot help."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final


class ServerTrouble(MailTrouble):
    """The mail server or our settings for it fail: no other mail would get through now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, final=False)


class Transport(Protocol):
    """Something that takes mails."""

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail. Raises MailTrouble."""

    def check(self) -> None:
        """See whether mails could be handed over. Raises ServerTrouble."""


class Folder:
    """Writes each mail as a file, for reading while developing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Make the folder."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ServerTrouble(f"{self.path}: {error.strerror}") from error

    def send(self, message: EmailMessage) -> None:
        """Write one mail into the folder."""
        self.check()
        name = message["Message-ID"].strip("<>").split("@")[0]
        try:
            (self.path / f"{name}.eml").write_bytes(message.as_bytes())
        except OSError as error:
            raise ServerTrouble(f"{self.path}: {error.strerror}") from error


class Smtp:
    """A connection to a mail server, made anew after it was lost."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = urlsplit(url)
        self.timeout = timeout
        self.server: smtplib.SMTP | None = None

    def check(self) -> None:
        """Connect and sign in."""
        if self.server is None:
            self.server = self._connected()

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail to its one recipient."""
        if self.server is None:
            self.server = self._connected()
        try:
            self.server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._answered("the address was refused", code, said) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailTrouble(f"the mail server cannot do this: {error}", final=True) from error
        except smtplib.SMTPSenderRefused as error:
            # The settings are wrong, not the mail: it waits until they are mended.
            self.close()
            reason = _said("we were refused as sender", error.smtp_code, error.smtp_error)
            raise ServerTrouble(reason) from error
        except smtplib.SMTPResponseException as error:
            trouble = self._answered("the mail was refused", error.smtp_code, error.smtp_error)
            self.close()
            raise trouble from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ServerTrouble(f"the mail server does not answer: {error}") from error

    def close(self) -> None:
        """End the connection, if there is one."""
        if self.server is not None:
            self.server.close()
            self.server = None

    def _answered(self, what: str, code: int, said: bytes | str) -> MailTrouble:
        reason = _said(what, code, said)
        if code == CLOSING_DOWN:
            self.close()
            return ServerTrouble(reason)
        return MailTrouble(reason, final=code >= PERMANENT)

    def _connected(self) -> smtplib.SMTP:
        """Connect and sign in. Raises ServerTrouble for whatever goes wrong: no mail caused it."""
        try:
            server = self._reached()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise ServerTrouble(f"the mail server does not answer: {error}") from error
        try:
            server.ehlo()
            if self.url.scheme != "smtps" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if self.url.username:
                server.login(unquote(self.url.username), unquote(self.url.password or ""))
        except Exception as error:
            server.close()
            code = getattr(error, "smtp_code", "")
            said = getattr(error, "smtp_error", error)
            raise ServerTrouble(_said("the mail server let us not in", code, said)) from error
        return server

    def _reached(self) -> smtplib.SMTP:
        host, port = self.url.hostname or "localhost", self.url.port
        if self.url.scheme == "smtps":
            secure = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port or 465, timeout=self.timeout, context=secure)
        return smtplib.SMTP(host, port or 25, timeout=self.timeout)


def _said(what: str, code: int | str, said: object) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{what}: {code} {text}" if code else f"{what}: {text}"


@contextmanager
def transport(url: str, timeout: float) -> Iterator[Transport]:
    """Give the transport that a URL names (see the setting mail_url), and close it afterwards."""
    if url.startswith("file:"):
        yield Folder(Path(url.removeprefix("file:").removeprefix("//")))
        return
    server = Smtp(url, timeout)
    try:
        yield server
    finally:
        server.close()
